"""OpenVINO on the graphs that convert.py makes."""

import argparse

import openvino as ov

from protocol import Features, Logits, Rectangle, serve

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TYPES = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


class Inference:
    """One request at a time, or several asynchronous ones on as many streams as threads."""

    def __init__(self, args: argparse.Namespace, features: Features) -> None:
        compiled, count = compile_for(args)
        self.request = compiled.create_infer_request()
        self.queue = ov.AsyncInferQueue(compiled, count)
        self.queue.set_callback(lambda request, results: results.append(outputs(request)))
        self.padded = args.form == "padded"
        self.one_by_one = args.form == "single"
        length = features.max_seq_length
        grouped = args.variant == "groups"
        self.batches = [
            features.rectangle(
                numbers, length if self.padded else int(features.lengths[numbers[0]])
            )
            for numbers in (features.equal_lengths() if grouped else features.by_count(1))
        ]
        self.features = features

    def logits(self, batch: Rectangle) -> Logits:
        self.request.infer(dict(zip(INPUTS, batch, strict=True)))
        return outputs(self.request)

    def check(self) -> list[float]:
        return self.features.checked(self.padded, self.logits)

    def run(self) -> int:
        if self.one_by_one:
            return sum(len(self.logits(batch)[0]) for batch in self.batches)
        results: list[Logits] = []
        for batch in self.batches:
            self.queue.start_async(dict(zip(INPUTS, batch, strict=True)), results)
        self.queue.wait_all()
        return sum(len(start) for start, _ in results)


def compile_for(args: argparse.Namespace) -> tuple[ov.CompiledModel, int]:
    """The model for these options, and its number of streams."""
    core = ov.Core()
    kind = TYPES[args.precision]
    bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if args.precision == "int8" and bf16:
        kind = "bf16"  # what is not quantised runs in BF16 where the processor has it
    count = 1 if args.form == "single" else args.threads
    graph = "openvino-int8.xml" if args.precision == "int8" else "openvino.xml"
    settings = {
        "PERFORMANCE_HINT": "LATENCY" if count == 1 else "THROUGHPUT",
        "NUM_STREAMS": str(count),
        "INFERENCE_NUM_THREADS": args.threads,
        "INFERENCE_PRECISION_HINT": kind,
    }
    return core.compile_model(args.model / graph, "CPU", settings), count


def streams(args: argparse.Namespace) -> ov.AsyncInferQueue:
    return ov.AsyncInferQueue(*compile_for(args))


def outputs(request: ov.InferRequest) -> Logits:
    return tuple(request.get_output_tensor(n).data.copy() for n in range(2))


def load(args: argparse.Namespace) -> Inference:
    return Inference(args, Features.read(args.input))


if __name__ == "__main__":
    serve(load, "openvino", "nncf")

"""/proc/cpuinfo of x86 and ARM, sysctl of macOS."""

import pytest

from bertsquad.machine.cpu import (
    CpuInfo,
    allowed_cpus,
    cpu_model,
    fp32_products,
    fp32_weight_gradients,
    has_amx,
    has_native_bf16,
    isa_of_interest,
    lacks_vnni,
    native_precisions,
    parse_cpuinfo,
    parse_sysctl,
)
from machine.trees import status, write, x86_cpuinfo

# An AWS Graviton 3, shortened.
GRAVITON = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd evtstrm aes crc32 atomics asimdhp asimddp sve i8mm svebf16 bf16 dgh rng
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd40
CPU revision\t: 1

processor\t: 1
Features\t: fp asimd
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""

APPLE = """\
hw.ncpu: 8
hw.logicalcpu: 8
hw.optional.AdvSIMD: 1
hw.optional.arm.FEAT_BF16: 1
hw.optional.arm.FEAT_SME: 0
machdep.cpu.brand_string: Apple M2
"""


def test_x86_gives_its_name_flags_and_model_number():
    cpu = parse_cpuinfo(x86_cpuinfo(4))
    assert cpu.model == "Intel(R) Xeon(R) Platinum 8480+"
    assert cpu.vendor == "GenuineIntel"
    assert (cpu.family, cpu.model_number, cpu.logical) == (6, 143, 4)
    assert cpu.places == {0: (0, 0), 1: (0, 1), 2: (0, 2), 3: (0, 3)}
    assert {"amx_bf16", "avx512_vnni"} <= cpu.flags


def test_arm_is_named_by_implementer_and_part():
    cpu = parse_cpuinfo(GRAVITON)
    assert (cpu.model, cpu.vendor, cpu.logical) == ("Neoverse-V1", "ARM", 2)
    assert isa_of_interest(cpu.flags) == [
        *("asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "svebf16")
    ]
    assert cpu.places == {}


def test_an_arm_part_without_a_name_here_keeps_its_number():
    text = "processor: 0\nCPU implementer: 0x41\nCPU part: 0xfff\n"
    assert parse_cpuinfo(text).model == "ARM part 0xfff"


def test_an_apple_processor_is_read_from_sysctl():
    cpu = parse_sysctl(APPLE)
    assert (cpu.model, cpu.vendor, cpu.logical) == ("Apple M2", "Apple", 8)
    assert cpu.flags == {"asimd", "bf16"}


@pytest.mark.parametrize("text", ["", "\n\n", "power management:\n", "<html>"])
def test_a_text_without_processors_is_refused(text):
    with pytest.raises(ValueError, match="describes no processor"):
        parse_cpuinfo(text)


def test_sysctl_without_a_processor_is_refused():
    with pytest.raises(ValueError, match="does not name the processor"):
        parse_sysctl("hw.ncpu: 8\n")


def test_only_isa_of_interest_is_kept_in_a_fixed_order():
    assert isa_of_interest({"sse2", "amx_tile", "avx2"}) == ["avx2", "amx_tile"]


@pytest.mark.parametrize(
    ("flags", "native"),
    [
        ({"avx512_bf16"}, True),
        ({"amx_tile", "amx_bf16"}, True),
        ({"bf16"}, True),
        ({"avx2", "avx512f", "avx512_vnni"}, False),
        ({"amx_tile", "amx_int8"}, False),
        (set(), False),
    ],
)
def test_bf16_is_native_with_instructions_that_multiply_it(flags, native):
    assert has_native_bf16(flags) is native


def test_native_precisions_begin_with_fp32_which_all_have():
    assert native_precisions(set()) == ["fp32"]
    assert native_precisions({"avx512_vnni"}) == ["fp32", "int8"]
    assert native_precisions({"avx2", "fma"}) == ["fp32", "int8"]
    assert native_precisions({"amx_tile", "amx_bf16", "amx_int8"}) == ["fp32", "bf16", "int8"]
    assert native_precisions({"asimdhp", "bf16"}) == ["fp32", "bf16", "fp16"]


@pytest.mark.parametrize(
    ("vendor", "flags", "library"),
    [
        ("AuthenticAMD", {"avx2", "avx512f"}, "onednn"),
        ("AuthenticAMD", {"avx2", "fma"}, "blas"),
        ("GenuineIntel", {"avx2", "avx512f", "avx512_bf16"}, "blas"),
        ("ARM", {"asimd", "sve"}, "blas"),
    ],
)
def test_fp32_products_are_onednns_where_mkl_keeps_to_avx2(vendor, flags, library):
    assert fp32_products(CpuInfo("some model", vendor, frozenset(flags))) == library


@pytest.mark.parametrize(
    ("family", "flags", "library"),
    [(25, {"avx2"}, "blas"), (25, {"avx2", "avx512f"}, "blas"), (26, {"avx512f"}, "onednn")],
    ids=["Zen 3", "Zen 4", "Zen 5"],
)
def test_fp32_gradients_of_weights_are_onednns_where_avx512_is_as_wide_as_its_name(
    family, flags, library
):
    cpu = CpuInfo("some model", "AuthenticAMD", frozenset(flags), family=family)
    assert fp32_weight_gradients(cpu) == library


def test_int8_of_avx2_alone_is_told_from_that_of_vnni():
    assert lacks_vnni({"avx2", "fma"})
    assert not lacks_vnni({"avx2", "avx_vnni"})
    assert not lacks_vnni({"asimddp"})


def test_a_sapphire_rapids_has_amx_switched_on_or_not():
    assert has_amx(parse_cpuinfo(x86_cpuinfo(flags="avx2 avx512f avx512_bf16")))
    assert has_amx(parse_cpuinfo(x86_cpuinfo()))


def test_a_skylake_never_had_amx():
    assert not has_amx(parse_cpuinfo(x86_cpuinfo(model_number=85, flags="avx512f")))


def test_allowed_processors_of_a_file_and_of_this_process(tmp_path):
    assert allowed_cpus(write(tmp_path, {"proc/self/status": status("0-1,8")})) == [0, 1, 8]
    assert allowed_cpus()


def test_a_processor_that_hides_is_unknown(tmp_path):
    assert cpu_model(tmp_path) == "unknown"
    assert cpu_model(write(tmp_path, {"proc/cpuinfo": x86_cpuinfo()})) == (
        "Intel(R) Xeon(R) Platinum 8480+"
    )

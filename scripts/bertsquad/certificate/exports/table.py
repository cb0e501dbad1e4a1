"""Which exports there are: a module of this folder each, by name, and what it writes.

A module has `export(facts)`, which returns the files by their paths in the export's folder. It
imports nothing here: the Snakefile reads this table.
"""

EXPORTS = {
    "model_card": "README.md of each run's model with `model-index`, for the Hugging Face Hub",
    "mlperf": "system description and summaries in MLPerf's shape, unofficial",
    "optimum_benchmark": "benchmark_report.json of each cell as optimum-benchmark reads it",
    "github_action_benchmark": "customBiggerIsBetter and customSmallerIsBetter, for charts in CI",
    "markdown": "tables of scores and speeds to paste",
}

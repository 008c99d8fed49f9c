"""Run every benchmark: ``python benchmarks``."""

import cluster_tdp
import hommel
import import_time
import second_level

for benchmark in (import_time, hommel, cluster_tdp, second_level):
    benchmark.main()

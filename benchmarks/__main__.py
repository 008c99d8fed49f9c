"""Run every benchmark: ``python benchmarks``."""

import cluster_tdp
import hommel
import import_time
import permutation
import regions
import second_level
import surface_tdp
import tdp_forest

for benchmark in (
    import_time,
    hommel,
    cluster_tdp,
    tdp_forest,
    regions,
    surface_tdp,
    second_level,
    permutation,
):
    benchmark.main()

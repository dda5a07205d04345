"""How each peer runs a workload: ``Runner(workload, options)`` makes it, ``run(calls)`` runs batches."""

"""Models in Spark ML's pipelines: estimators, the transformers that they fit, and the search for hyperparameters."""

"""Training, prediction and evaluation on Apache Spark; the only room that knows pyspark."""

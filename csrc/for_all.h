// How work is divided. Included once for each instruction set, inside its namespace.

// Runs a task over a range, by several threads if there is a "parallel"; returns false if that failed. Numbers next to zero
// are 0 for this thread as for the others of the team, so that nothing depends on who computes what.
inline bool for_all(ParallelFor parallel, int64_t count, int64_t grain, Task task, void *context) {
  FlushDenormals flush;
  if (parallel) return parallel(0, count, grain, task, context) == 0;
  task(0, count, context);
  return true;
}

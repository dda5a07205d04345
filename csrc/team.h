// A few threads for work so small that waking others would take longer than it.
#pragma once

#include "parallel.h"

// The threads, while it lives. Whoever comes while somebody else has them works alone.
class TeamTurn {
public:
  explicit TeamTurn(int64_t threads);
  ~TeamTurn();
  TeamTurn(const TeamTurn &) = delete;
  TeamTurn &operator=(const TeamTurn &) = delete;

  ParallelFor parallel() const; // null where the calling thread is alone

private:
  bool taken_;
};

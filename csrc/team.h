// The library's threads, which serve work that takes a few microseconds as well as long work.
#pragma once

#include "parallel.h"

// The threads, while it lives. Whoever comes while somebody else has them works alone. For work of many short steps they
// are woken once in a while only.
class TeamTurn {
public:
  explicit TeamTurn(int64_t threads, bool in_steps = false);
  ~TeamTurn();
  TeamTurn(const TeamTurn &) = delete;
  TeamTurn &operator=(const TeamTurn &) = delete;

  ParallelFor parallel() const; // null where the calling thread is alone

private:
  bool taken_;
};

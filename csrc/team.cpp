// The caller divides its work into pieces and begins with its own share. Others that are awake take pieces of their shares,
// and whoever has done its own takes those that are left. So nobody is waited for that has not begun, and each thread
// mostly reads the same weights, which stay in the cache of its core.
//
// A thread that finds no work for a moment sleeps. It is woken where calls follow each other closely, and for work that
// takes longer than waking it. Where others use the cores, it may get that of the caller, who then waits until it
// sleeps again; so it is not woken for each of many short steps.
#include "denormals.h"
#include "team.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr int64_t MOST_THREADS = 64, PIECES_OF_A_THREAD = 4;
constexpr int64_t FINER = 16; // than what pays where threads have to be woken
constexpr microseconds AWAKE(200), CLOSE(1000), UNDISTURBED(10000);

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits until something is true; returns false if that took too long. The clock is read now and then only. Others may have
// the core meanwhile, if that is wanted.
template <typename Condition> bool spin(microseconds most, const Condition &condition, bool gives_way = false) {
  const Clock::time_point begin = Clock::now();
  for (int i = 1; !condition(); ++i) {
    pause();
    if (i % 32) continue;
    if (Clock::now() - begin > most) return condition();
    if (gives_way) std::this_thread::yield();
  }
  return true;
}

// The pieces of a job that a thread begins with: its number, the next piece and the end, in one word. So a thread that
// comes late takes no piece of another job than it thinks.
struct alignas(64) Share {
  std::atomic<uint64_t> word{0};

  void set(uint32_t job, int64_t first, int64_t end) {
    word.store(uint64_t(job) << 32 | uint64_t(first) << 16 | uint64_t(end), std::memory_order_release);
  }

  // Takes a piece; -1 if there is none.
  int64_t take() {
    uint64_t now = word.load(std::memory_order_acquire);
    while ((now >> 16 & 0xffff) < (now & 0xffff))
      if (word.compare_exchange_weak(now, now + (1 << 16), std::memory_order_acq_rel)) return now >> 16 & 0xffff;
    return -1;
  }
};

// Whether threads that wait let others have their cores: those of torch, which have work in between.
std::atomic<bool> give_way{false};

class Team {
public:
  // Returns whether the caller has the team now.
  bool take(int64_t threads, bool in_steps) {
    if (taken_.exchange(true, std::memory_order_acquire)) return false;
    start(threads < MOST_THREADS ? threads : MOST_THREADS);
    follows_ = Clock::now() - left_ < CLOSE;
    in_steps_ = in_steps, woke_ = {};
    return true;
  }

  void leave() {
    left_ = Clock::now();
    taken_.store(false, std::memory_order_release);
  }

  void run(int64_t begin, int64_t end, int64_t grain, Task task, void *context) {
    const int64_t threads = threads_.load(std::memory_order_relaxed), count = end - begin, least = grain / FINER + 1;
    int64_t pieces = (count + least - 1) / least;
    if (pieces > threads * PIECES_OF_A_THREAD) pieces = threads * PIECES_OF_A_THREAD;
    if (pieces <= 1) {
      task(begin, end, context);
      return;
    }
    if ((count > grain || follows_) && asleep_.load(std::memory_order_relaxed)) wake();
    begin_ = begin, count_ = count, pieces_ = pieces, task_ = task, context_ = context;
    done_.store(0, std::memory_order_relaxed);
    const uint32_t job = job_.load(std::memory_order_relaxed) + 1;
    for (int64_t i = threads; i-- > 0;) shares_[i].set(job, pieces * i / threads, pieces * (i + 1) / threads);
    job_.store(job, std::memory_order_release);
    work(0, threads);
    const auto all_done = [&] { return done_.load(std::memory_order_acquire) == pieces; };
    if (spin(AWAKE, all_done)) return;
    while (!all_done()) std::this_thread::yield(); // to whoever has taken the core from a thread with a piece
  }

private:
  std::atomic<bool> taken_{false};
  Clock::time_point left_{};
  bool follows_ = false; // closely the turn before
  bool in_steps_ = false;
  Clock::time_point woke_{}; // others, in a turn with short steps
  int64_t started_ = 1; // threads, with the caller
  std::mutex sleeping_;
  std::condition_variable woken_;
  std::atomic<int> asleep_{0};
  uint64_t calls_ = 0; // to wake up

  // The job. Nothing of it changes while somebody has a piece.
  int64_t begin_ = 0, count_ = 0, pieces_ = 0;
  Task task_ = nullptr;
  void *context_ = nullptr;
  std::atomic<int64_t> threads_{1};
  alignas(64) std::atomic<uint32_t> job_{0};
  alignas(64) std::atomic<int64_t> done_{0};
  Share shares_[MOST_THREADS];

  // Sees to it that so many threads are there, or as many as can be.
  void start(int64_t threads) {
    try {
      for (; started_ < threads; ++started_) std::thread(&Team::help, this, started_).detach();
    } catch (const std::system_error &) {
      threads = started_;
    }
    threads_.store(threads, std::memory_order_relaxed);
  }

  void wake() {
    if (in_steps_) {
      const Clock::time_point now = Clock::now();
      if (now - woke_ < UNDISTURBED) return;
      woke_ = now;
    }
    const std::unique_lock<std::mutex> lock(sleeping_, std::try_to_lock); // whoever has it may have lost its core
    if (!lock) return;
    ++calls_;
    woken_.notify_all();
  }

  // What a thread does for a job: its share, then those of others.
  void work(int64_t thread, int64_t threads) {
    for (int64_t i = 0; i < threads; ++i)
      for (int64_t piece; (piece = shares_[(thread + i) % threads].take()) >= 0;) {
        task_(begin_ + count_ * piece / pieces_, begin_ + count_ * (piece + 1) / pieces_, context_);
        done_.fetch_add(1, std::memory_order_release);
      }
  }

  void help(int64_t thread) {
    FlushDenormals flush; // see for_all.h
    for (uint32_t seen = 0;;) {
      const auto comes = [&] { return job_.load(std::memory_order_acquire) != seen; };
      if (!spin(AWAKE, comes, give_way.load(std::memory_order_relaxed))) {
        std::unique_lock<std::mutex> lock(sleeping_);
        asleep_.fetch_add(1, std::memory_order_relaxed);
        const uint64_t calls = calls_;
        woken_.wait(lock, [&] { return calls_ != calls; });
        asleep_.fetch_sub(1, std::memory_order_relaxed);
        continue;
      }
      seen = job_.load(std::memory_order_acquire);
      const int64_t threads = threads_.load(std::memory_order_relaxed);
      if (thread < threads) work(thread, threads);
    }
  }
};

// Never deleted: its threads may run longer than anything else.
Team *team = new Team;

#if defined(__unix__) || defined(__APPLE__)
// A process that was forked off has none of the threads, and starts its own.
const int forks = pthread_atfork(nullptr, nullptr, [] { team = new Team; });
#endif

std::atomic<int64_t> wanted_threads{1};

int32_t run_by_team(int64_t begin, int64_t end, int64_t grain, Task task, void *context) {
  team->run(begin, end, grain, task, context);
  return 0;
}

} // namespace

TeamTurn::TeamTurn(int64_t threads, bool in_steps) : taken_(threads > 1 && team->take(threads, in_steps)) {}

TeamTurn::~TeamTurn() {
  if (taken_) team->leave();
}

ParallelFor TeamTurn::parallel() const { return taken_ ? run_by_team : nullptr; }

void bigdl_use_threads(int64_t threads, int32_t among_others) {
  wanted_threads.store(threads, std::memory_order_relaxed);
  give_way.store(among_others, std::memory_order_relaxed);
}

int32_t bigdl_parallel_for(int64_t begin, int64_t end, int64_t grain, Task task, void *context) {
  const TeamTurn turn(wanted_threads.load(std::memory_order_relaxed));
  if (turn.parallel()) return run_by_team(begin, end, grain, task, context);
  task(begin, end, context);
  return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The same shapes on oneTBB's flow graph: rival-tbb bare|load SHAPE N REPEATS.
 *
 * bare: a node writes a number and that is all. load: what the tasks of bench-flow-run.c do, and
 * what the engine does for them beyond their order: a GVariant for each node that its successors
 * read, the clock read when a node begins and ends and the times kept, and two events a node for
 * one subscriber on a thread of its own, through a bounded queue with a descriptor to poll.
 *
 * Prints the median of seconds by the wall, and the seconds of processors and the share of the
 * events that were read in that run.
 */

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <glib.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using Node = oneapi::tbb::flow::continue_node<oneapi::tbb::flow::continue_msg>;
using oneapi::tbb::flow::continue_msg;

static const unsigned LAYER = 100;
static const std::size_t QUEUE_MAX = 4096;

struct Event
{
  std::int64_t time_us;
  std::uint32_t task; /* UINT32_MAX: the end, or where `lost` is set, events were dropped */
  bool ended;
  bool lost;
};

/* The reader takes all that waits at once. */
class Events
{
public:
  Events () : fd (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK))
  {
  }
  ~Events ()
  {
    close (fd);
  }

  void
  push (const Event &event)
  {
    std::lock_guard<std::mutex> guard (lock);

    if (queue.size () >= QUEUE_MAX)
      {
        queue.clear ();
        queue.push_back ({ event.time_us, UINT32_MAX, false, true });
      }
    queue.push_back (event);
    if (!readable)
      signal (true);
  }

  void
  read ()
  {
    std::vector<Event> taken;
    pollfd waiting = { fd, POLLIN, 0 };

    for (bool over = false; !over;)
      {
        poll (&waiting, 1, -1);
        while (take (taken))
          for (const Event &event : taken)
            {
              n_read += event.task != UINT32_MAX ? 1 : 0;
              over |= event.task == UINT32_MAX && !event.lost;
            }
      }
  }

  unsigned n_read = 0;

private:
  bool
  take (std::vector<Event> &taken)
  {
    std::lock_guard<std::mutex> guard (lock);

    taken.clear ();
    taken.swap (queue);
    if (taken.empty () && readable)
      signal (false);
    return !taken.empty ();
  }

  void
  signal (bool on)
  {
    std::uint64_t one = 1;
    ssize_t done = on ? write (fd, &one, sizeof one) : ::read (fd, &one, sizeof one);

    readable = on && done > 0;
  }

  std::mutex lock;
  std::vector<Event> queue;
  bool readable = false;
  int fd;
};

struct Times
{
  std::int64_t begun_us;
  std::int64_t ended_us;
};

struct Bench
{
  std::string shape;
  unsigned n;
  oneapi::tbb::flow::graph graph;
  std::vector<std::unique_ptr<Node> > nodes;
  std::vector<unsigned> numbers; /* bare */
  std::vector<GVariant *> values;
  std::vector<Times> times;
  Events *events = nullptr;
};

static std::int64_t
now_us ()
{
  return std::chrono::duration_cast<std::chrono::microseconds> (
             std::chrono::steady_clock::now ().time_since_epoch ())
      .count ();
}

/* Calls `func` with each predecessor of node `i`. */
template <typename Func>
static void
each_predecessor (const std::string &shape, unsigned i, Func func)
{
  unsigned place = i % 4;

  if (shape == "linear" && i > 0)
    func (i - 1);
  else if (shape == "diamonds" && place == 3)
    {
      func (i - 2);
      func (i - 1);
    }
  else if (shape == "diamonds" && i > 0)
    func (place == 2 ? i - 2 : i - 1);
  else if (shape == "layered" && i >= LAYER)
    {
      func (i - LAYER);
      func (i - i % LAYER - LAYER + (i + 1) % LAYER);
    }
}

/* The values of the predecessors are kept as the engine keeps them: one for each task. */
struct Task
{
  Bench *bench;
  unsigned index;
  unsigned n_inputs;
  unsigned inputs[2];

  void
  operator() (const continue_msg &) const
  {
    Times &times = bench->times[index];
    std::uint32_t sum = 1;

    times.begun_us = now_us ();
    bench->events->push ({ times.begun_us, index, false, false });
    for (unsigned i = 0; i < n_inputs; i++)
      sum += g_variant_get_uint32 (bench->values[inputs[i]]);
    bench->values[index] = g_variant_ref_sink (g_variant_new_uint32 (sum));
    times.ended_us = now_us ();
    bench->events->push ({ times.ended_us, index, true, false });
  }
};

static void
build (Bench &bench, bool load)
{
  for (unsigned i = 0; i < bench.n; i++)
    {
      Task task = { &bench, i, 0, { 0, 0 } };

      each_predecessor (bench.shape, i, [&] (unsigned p) { task.inputs[task.n_inputs++] = p; });
      if (load)
        bench.nodes.push_back (std::make_unique<Node> (bench.graph, task));
      else
        bench.nodes.push_back (std::make_unique<Node> (
            bench.graph, [&bench, i] (const continue_msg &) { bench.numbers[i] = 1; }));
      for (unsigned input = 0; input < task.n_inputs; input++)
        oneapi::tbb::flow::make_edge (*bench.nodes[task.inputs[input]], *bench.nodes[i]);
    }
}

static void
run_graph (Bench &bench)
{
  for (unsigned i = 0; i < bench.n; i++)
    if (bench.shape == "unordered" || i == 0 || (bench.shape == "layered" && i < LAYER))
      bench.nodes[i]->try_put (continue_msg ());
  bench.graph.wait_for_all ();
}

struct Cost
{
  double wall_s;
  double cpu_s;
  double events_read;
};

static Cost
measure (Bench &bench, bool load)
{
  Events events;
  std::thread reader;

  bench.numbers.assign (load ? 0 : bench.n, 0);
  bench.values.assign (load ? bench.n : 0, nullptr);
  bench.times.assign (load ? bench.n : 0, Times ());
  bench.events = &events;
  if (load)
    reader = std::thread ([&] { events.read (); });

  const auto began = std::chrono::steady_clock::now ();
  const std::clock_t began_cpu = std::clock ();

  run_graph (bench);
  if (load)
    events.push ({ now_us (), UINT32_MAX, true, false });

  const std::chrono::duration<double> wall = std::chrono::steady_clock::now () - began;

  if (load)
    reader.join ();

  const double cpu = static_cast<double> (std::clock () - began_cpu) / CLOCKS_PER_SEC;

  for (unsigned number : bench.numbers)
    if (number != 1)
      std::exit (EXIT_FAILURE);
  for (GVariant *value : bench.values)
    g_variant_unref (value);
  return { wall.count (), cpu, events.n_read / (2.0 * bench.n) };
}

int
main (int argc, char **argv)
{
  if (argc != 5)
    return EXIT_FAILURE;

  oneapi::tbb::global_control threads (oneapi::tbb::global_control::max_allowed_parallelism, 2);
  const bool load = std::string (argv[1]) == "load";
  Bench bench;
  std::vector<Cost> costs;

  bench.shape = argv[2];
  bench.n = static_cast<unsigned> (std::atoi (argv[3]));
  build (bench, load);
  measure (bench, load); /* what is only made once */
  for (int i = 0; i < std::atoi (argv[4]); i++)
    costs.push_back (measure (bench, load));
  std::sort (costs.begin (), costs.end (),
             [] (const Cost &a, const Cost &b) { return a.wall_s < b.wall_s; });

  const Cost &cost = costs[costs.size () / 2];

  std::printf ("%.9f %.6f %.3f\n", cost.wall_s, cost.cpu_s, cost.events_read);
  return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The same shapes on oneTBB's flow graph: rival-tbb SHAPE N. Prints seconds by the wall and of
 * processors. */

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

using Node = oneapi::tbb::flow::continue_node<oneapi::tbb::flow::continue_msg>;
using oneapi::tbb::flow::continue_msg;

static const unsigned LAYER = 100;

static void
add_edges (std::vector<std::unique_ptr<Node> > &nodes, const std::string &shape, unsigned i)
{
  auto edge = [&] (unsigned from) { oneapi::tbb::flow::make_edge (*nodes[from], *nodes[i]); };
  unsigned place = i % 4;

  if (shape == "linear" && i > 0)
    edge (i - 1);
  else if (shape == "diamonds" && place == 3)
    {
      edge (i - 2);
      edge (i - 1);
    }
  else if (shape == "diamonds" && i > 0)
    edge (place == 2 ? i - 2 : i - 1);
  else if (shape == "layered" && i >= LAYER)
    {
      edge (i - LAYER);
      edge (i - i % LAYER - LAYER + (i + 1) % LAYER);
    }
}

static bool
is_root (const std::string &shape, unsigned i)
{
  return shape == "unordered" || i == 0 || (shape == "layered" && i < LAYER);
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    return EXIT_FAILURE;
  oneapi::tbb::global_control threads (oneapi::tbb::global_control::max_allowed_parallelism, 2);
  const std::string shape = argv[1];
  const unsigned n = static_cast<unsigned> (std::atoi (argv[2]));
  oneapi::tbb::flow::graph graph;
  std::vector<std::unique_ptr<Node> > nodes;
  std::vector<unsigned> values (n);

  for (unsigned i = 0; i < n; i++)
    {
      nodes.push_back (
          std::make_unique<Node> (graph, [&values, i] (const continue_msg &) { values[i] = 1; }));
      add_edges (nodes, shape, i);
    }
  const auto began = std::chrono::steady_clock::now ();
  const std::clock_t began_cpu = std::clock ();

  for (unsigned i = 0; i < n; i++)
    if (is_root (shape, i))
      nodes[i]->try_put (continue_msg ());
  graph.wait_for_all ();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now () - began;
  unsigned sum = 0;

  for (unsigned value : values)
    sum += value;
  std::printf ("%.9f %.6f\n", wall.count (),
               static_cast<double> (std::clock () - began_cpu) / CLOCKS_PER_SEC);
  return sum == n ? EXIT_SUCCESS : EXIT_FAILURE;
}

"""``python pilots/summary.py results.jsonl``: the rows as short tables."""

import json
import sys
from collections import defaultdict

rows = defaultdict(list)
for line in open(sys.argv[1]):
    row = json.loads(line)
    rows[row["part"]].append(row)
for part in ("data", "train", "error", "failed", "cut", "end"):
    for row in rows[part]:
        print({k: v for k, v in row.items() if k != "losses"})
print("\n(a) best of n: policy, reward body, m, seed | valid, correlation | peak n, fall +- error | gold by n")
for row in rows["bon policy"][:1]:
    print({k: v for k, v in row.items() if k not in ("t", "part")})
for row in sorted(rows["bon"], key=lambda r: (r["policy"], r["reward"], r["m"], r["seed"])):
    print(row["policy"], row["reward"], row["m"], row["seed"], "|", row["valid"], row["right"], "|", row["peak"], row["fall"], "+-", row["fall_error"], "|",
          *row["gold"].values(), "| by group (peak n, fall)", row["fall_by_group"], "|", row["chosen"])
print("\n(b) derivations")
for row in rows["derivations"]:
    print({k: v for k, v in row.items() if k not in ("part", "t")})
print("\n(c) order effects: mean / worst / spread")
for row in rows["order_effects"]:
    print(row["body"], row["task"], {k: (row[k]["mean"], row[k]["worst"], row[k]["spread"]) for k in ("plain", "nonce", "weather", "batch")},
          "plain by arrangement", row["plain"]["by arrangement"])
print("\n(d) BERT")
for row in rows["bert"]:
    print({k: v for k, v in row.items() if k not in ("part", "t")})
print("\n(e) tasks, gates, in context")
for part in ("tasks", "gates", "in_context"):
    for row in rows[part]:
        print({k: v for k, v in row.items() if k not in ("part", "t")})

# Rows and samples of a run -> bench.json.
# Arguments: $rows $times $layers $budgets, and of the machine $date $kernel $cores $cpu $cgroups $load
def median: sort | if length % 2 == 1 then .[length / 2 | floor]
  else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def rounded: if . == null then null else . * 1000 | round / 1000 end;
def ratio($to): if . == null or $to == null then null else . / $to | rounded end;

# A timed row has its samples of every round; its value is the median of all, in its unit.
def measured:
  . as $row
  | (if .unit == "ns" then 1e9 else 1e3 end) as $a_second
  | [$times[] | select(.name == $row.name) | .times | map(. * $a_second)]
  | if length == 0 then $row
    else (add | sort) as $all
      | $row + {
          value: ($all | median | rounded),
          fastest: ($all[0] | rounded),
          samples: ($all | length),
          round_medians: map(median | rounded)
        }
    end;

($rows | map(measured)) as $rows
| ($rows | map({(.name): .value}) | add) as $value
| {start: "jaula run", exec: "jaula exec", getppid: "getppid in a jail", read: "read in a jail",
   "openat+close": "openat+close in a jail"} as $ours
| {
    machine: {$date, $kernel, $cores, $cpu, $cgroups, load_average: $load},
    rows: [
      $rows[]
      | $budgets[.name] as $budget
      | $value[$ours[.group // ""] // ""] as $jaula
      | .ratio_to_floor = (if .group == "start" then .value | ratio($value.floor) else null end)
      | .ratio_to_jaula = (if .group then .value | ratio($jaula) else null end)
      | .budget = (
          if $budget == null then null
          elif $budget.times then "\($budget.row) <= \($budget.times) x \(.name)"
          else "<= \($budget.at_most) \(.unit)" end)
      | .within = (
          if $budget == null or .value == null then null
          elif $budget.at_most then .value <= $budget.at_most
          elif $value[$budget.row] then $value[$budget.row] <= $budget.times * .value
          else null end)
      | del(.group, (.note | select(. == "")))
    ],
    $layers
  }

# bench.json -> the table.
def wide($n): . + " " * ([$n - length, 0] | max);
def right($n): " " * ([$n - length, 0] | max) + .;
def decimals($n):
  if . == null then "" else
    pow(10; $n) as $scale
    | (. * $scale | round | tostring) as $digits
    | ("0" * ([$n + 1 - ($digits | length), 0] | max) + $digits) as $digits
    | if $n == 0 then $digits else $digits[:-$n] + "." + $digits[-$n:] end
  end;
def line($name; $value; $floor; $jaula; $budget; $verdict):
  ($name | wide(26)) + ($value | right(14)) + ($floor | right(10)) + ($jaula | right(10))
  + "  " + ($budget | wide(30)) + " " + $verdict | sub(" +$"; "");
def shown: if .unit == "ms" then .value | decimals(2)
  elif .unit == "ns" then "\(.value | round) ns"
  elif .unit == "MB" then "\(.value | decimals(2)) MB"
  else "\(.value) \(.unit)" end;

(.machine | "\(.cpu), \(.cores) cores, \(.kernel), cgroups \(.cgroups), load \(.load_average), \(.date)"),
"",
line("name"; "median ms"; "x floor"; "x jaula"; "budget"; ""),
( .rows[]
  | if .value == null then (.name | wide(26)) + "  " + (.note // "not measured")
    else line(.name; shown; .ratio_to_floor | decimals(2); .ratio_to_jaula | decimals(2);
      .budget // ""; if .within == null then "" elif .within then "ok" else "over" end)
    end),
( select(.layers != [])
  | "", "what a `jaula run` spends its time on (median us of each layer, the two sides at the same time)", "",
    (.layers[] | (.side | wide(8)) + (.layer | wide(32)) + ("\(.us)" | right(6))) ),
( .machine
  | select((.load_average / " " | .[0] | tonumber) > .cores)
  | "", "The machine was busy: take the ratios loosely, or run again under nice -n -19." )

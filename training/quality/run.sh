#!/usr/bin/env bash
# npm run quality [-- speech|controls|people …]: builds the command line program and the pack, sets up the evaluation, renders
# and measures. `speech` (the default) is clips of recorded sentences, `people` the same for all
# held-out portraits with known phones, `controls` every control on its own.
# The evaluation and its data lie outside the repository: SHARED names their folder (default ../shared).
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=${SHARED:-../shared}
[ -d "$shared/eval" ] || { echo "The evaluation data is not here: set SHARED to its folder." >&2; exit 2; }
what=speech
case "${1:-}" in speech | controls | people) what=$1; shift ;; esac
cargo build --release
[ -f build/parlante-default.gguf ] || { cargo xtask fetch && cargo xtask pack; }
python=${EVALUATION_PYTHON:-build/evaluation/bin/python}
[ -x "$python" ] || bash "$shared/eval/setup.sh" build/evaluation
declare -A script=([speech]=quality.py [controls]=controls.py [people]=people.py)
"$python" "training/quality/${script[$what]}" --shared "$shared" "$@"

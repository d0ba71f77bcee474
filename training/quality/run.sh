#!/usr/bin/env bash
# npm run quality [-- speech|controls|people|liveliness|emotions|against …]: builds the command line program and the pack,
# sets up the evaluation, renders and measures. `speech` (the default) is clips of recorded sentences, `people` the same
# for all held-out portraits with known phones, `controls` every control on its own. The others measure generated motion
# without pictures: `liveliness` head, brows, eyes and what is asked for, `emotions` whether they can be told and the lips
# hold, `against` the lips beside those of other programs.
# The evaluation and its data lie outside the repository: SHARED names their folder (default ../shared).
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=${SHARED:-../shared}
[ -d "$shared/eval" ] || { echo "The evaluation data is not here: set SHARED to its folder." >&2; exit 2; }
what=speech
case "${1:-}" in speech | controls | people | liveliness | emotions | against) what=$1; shift ;; esac
cargo build --release
[ -f build/parlante-default.gguf ] || { cargo xtask fetch && cargo xtask pack; }
# The last two borrow the training's measures, which need its packages.
case $what in
    emotions | against)
        EVALUATION_PYTHON=${TRAINING_PYTHON:-training/.venv/bin/python}
        [ -x "$EVALUATION_PYTHON" ] || { echo "Set up training/.venv first, as training/README.md says." >&2; exit 2; }
        ;;
esac
python=${EVALUATION_PYTHON:-build/evaluation/bin/python}
[ -x "$python" ] || bash "$shared/eval/setup.sh" build/evaluation
# The lips of the 3-D face are read from the face model's own file.
[ "$what" != people ] || "$python" -c "import safetensors" 2>/dev/null || "$python" -m pip install --quiet safetensors
declare -A script=([speech]=quality.py [controls]=controls.py [people]=people.py [liveliness]=liveliness.py)
script+=([emotions]=emotions.py [against]=against.py)
"$python" "training/quality/${script[$what]}" --shared "$shared" "$@"

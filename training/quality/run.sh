#!/usr/bin/env bash
# npm run quality: builds the command line program and the pack, sets up the evaluation, renders and measures.
# The evaluation and its data lie outside the repository: SHARED names their folder (default ../shared).
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=${SHARED:-../shared}
[ -d "$shared/eval" ] || { echo "The evaluation data is not here: set SHARED to its folder." >&2; exit 2; }
cargo build --release
[ -f build/parlante-default.gguf ] || { cargo xtask fetch && cargo xtask pack; }
python=build/evaluation/bin/python
[ -x "$python" ] || bash "$shared/eval/setup.sh" build/evaluation
"$python" training/quality/quality.py --shared "$shared" "$@"

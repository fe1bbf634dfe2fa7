#!/bin/sh
# Load what `ebb package` packed for arm64 on another processor, under emulation: docs/packaging.md.
#   sh local/package/arm64_smoke.sh
# Downloads Debian trixie's Python for arm64 and its qemu-user once, into .tools/arm64 (0.6 GB); needs debootstrap and
# a Linux that lets this user (or root) make mount namespaces. Older qemu-user (bookworm's 7.2) crashes in onnxruntime.
set -eu
cd "$(dirname "$0")/../.."
home=$PWD/.tools/arm64
root=$home/root qemu=$home/qemu shipped=$home/shipped

[ -f dist/manifest.json ] || { echo "arm64_smoke: nothing is packed: run \`ebb package\` first" >&2; exit 2; }
for tool in debootstrap unshare dpkg-deb; do
    command -v $tool >/dev/null || { echo "arm64_smoke: $tool is needed and not on PATH" >&2; exit 2; }
done

fetch() { # ARCHITECTURE PACKAGE INTO WHICH: unpack some of a package and what it needs; nothing is run or installed
    [ -e "$3/.whole" ] && return
    rm -rf "$3" "$3.fetched"
    debootstrap --arch="$1" --variant=minbase --foreign --include="$2" trixie "$3.fetched" >"$home/fetch.log" 2>&1 || {
        echo "arm64_smoke: $2 for $1 could not be fetched: $(tail -n 1 "$home/fetch.log")" >&2
        exit 1
    }
    mkdir -p "$3"
    for package in "$3.fetched"/var/cache/apt/archives/$4; do dpkg-deb -x "$package" "$3"; done
    rm -rf "$3.fetched"
    touch "$3/.whole"
}

mkdir -p "$home"
fetch arm64 python3 "$root" "*.deb"
fetch amd64 qemu-user "$qemu" "qemu-user_*.deb"
rm -rf "$shipped"
.venv/bin/python -m zipfile -e dist/layers/runtime.zip "$shipped/opt"
.venv/bin/python -m zipfile -e dist/layers/ebb.zip "$shipped/opt"
.venv/bin/python -m zipfile -e dist/functions/predict.zip "$shipped/task"

# Lambda's arm64 has no /sys/devices/system/cpu, on which onnxruntime before 1.26 aborts: hide it.
# shellcheck disable=SC2016
unshare --map-root-user --mount sh -c '
    mount -t tmpfs none /sys/devices/system/cpu
    exec "$1/usr/bin/qemu-aarch64" -cpu neoverse-n1 -L "$2" "$2/usr/bin/python3.13" -I -B "$3" "$4/task" "$4/opt/python"
' smoke "$qemu" "$root" local/package/smoke.py "$shipped"

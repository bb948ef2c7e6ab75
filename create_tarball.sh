#!/bin/sh
# Packs hw1 and mytorch into handin.tar, the file to submit: sh create_tarball.sh, from any folder.

set -u
umask 022
# A glob without a match is to stay as it is.
if [ -n "${ZSH_VERSION-}" ]; then emulate sh; fi
if [ -n "${BASH_VERSION-}" ]; then shopt -u failglob nullglob; fi
LIMIT=2097152 # bytes, the course's 2 MB

CDPATH='' cd -- "$(dirname -- "$0")" || exit 1

missing=''
for file in hw1/hw1.py hw1/mc.py mytorch/activation.py mytorch/batchnorm.py mytorch/linear.py mytorch/loss.py; do
    [ -f "$file" ] || missing="$missing $file"
done
if [ -n "$missing" ]; then
    echo "create_tarball.sh: no handin.tar was made, missing:$missing" >&2
    exit 1
fi

if [ -d handin.tar ]; then
    echo "create_tarball.sh: no handin.tar was made: a folder has that name, give it another" >&2
    exit 1
fi

# An older handin.tar stays until the new one is complete.
part=.handin.$$
trap 'rm -rf "$part"' EXIT
trap 'exit 1' HUP INT TERM

# Globs skip dot-files: the ._* and .DS_Store of macOS, an editor's .swp and .#locks. Backups and caches have other
# endings. The loop drops a pattern that matched nothing, and folders. Folders of one's own are packed as deep as the
# autograder reads them.
set --
for file in hw1/*.png hw1/*.py hw1/*/*.py hw1/*/*/*.py hw1/*/*/*/*.py \
    mytorch/*.py mytorch/*/*.py mytorch/*/*/*.py mytorch/*/*/*/*.py; do
    case $file in */__pycache__/*) continue ;; esac
    [ -f "$file" ] && set -- "$@" "$file"
done

# Copies are packed: they are what a link points to, and a link, hard ones among them, is left out where it is graded.
# macOS's tar would add a ._ file of attributes for each member.
COPYFILE_DISABLE=1
export COPYFILE_DISABLE
pack() {
    for file in "$@"; do
        mkdir -p "$part/${file%/*}" && cp "$file" "$part/$file" || return
    done
    tar -cf "$part/handin.tar" -C "$part" "$@" && mv -f "$part/handin.tar" handin.tar
}
if ! pack "$@"; then
    echo "create_tarball.sh: handin.tar could not be written" >&2
    exit 1
fi

bytes=$(($(wc -c <handin.tar)))
if [ "$bytes" -lt 1048576 ]; then
    size="$(((bytes + 1023) / 1024)) KB"
else
    tenths=$((bytes * 10 / 1048576))
    size="$((tenths / 10)).$((tenths % 10)) MB"
fi
echo "handin.tar: $# files, $size"
for plot in train_loss train_error val_loss val_error; do
    if [ ! -f "hw1/$plot.png" ]; then
        echo "create_tarball.sh: note: the plots are not all there; autograder/hw1_autograder/test.py --outpath hw1 makes them" >&2
        break
    fi
done
if [ "$bytes" -gt "$LIMIT" ]; then
    echo "create_tarball.sh: warning: handin.tar is above the course's limit of 2 MB; are the plots in hw1 too large?" >&2
fi

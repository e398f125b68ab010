#!/bin/sh
# Give each variable NAME whose value lies in a file that NAME_FILE names its value, then become the command. Lifeline's own settings
# (LIFELINE_*_FILE) are left alone: the program reads those files itself.
set -eu
for name in $(env | sed -n 's/^\(PREFECT_[A-Z0-9_]*\)_FILE=.*/\1/p'); do
    eval "file=\${${name}_FILE}"
    if [ ! -r "$file" ]; then
        echo "entrypoint: ${name}_FILE names $file, which cannot be read" >&2
        exit 2
    fi
    eval "$name=\$(cat \"\$file\")"
    export "${name?}"
    unset "${name}_FILE"
done
exec "$@"

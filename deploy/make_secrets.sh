#!/bin/sh
# Make the files of deploy/secrets/ that are still missing: long random words for those that nobody has to remember, an empty file where
# only you know what belongs in it.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 0700 secrets
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
make() { # the containers' account has to read the file; the folder keeps everybody else on this machine out
    [ -e "secrets/$1" ] || { printf '%s' "$2" >"secrets/$1" && chmod 0444 "secrets/$1" && echo "made deploy/secrets/$1"; }
}
make postgres_password "$(random)"
make prefect_sign_in "lifeline:$(random)"
make oidc_cookie_secret "$(random)"
make oidc_client_secret ""
make notify_urls ""
[ -s secrets/oidc_client_secret ] || echo "write the client secret of your OIDC provider into deploy/secrets/oidc_client_secret"

#!/bin/sh
# Makes the certificates of the tests anew, for a hundred years. They are secrets
# of nobody: nothing outside of the tests trusts their authority.
set -eu
cd "$(dirname "$0")"
days=36500

authority() { # name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days \
        -subj "/O=Holdfast Tests/CN=$1" -keyout "$1.key" -out "$1.pem" \
        -addext "keyUsage=critical,keyCertSign" 2>/dev/null
}

leaf() { # name, subject, extension
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -utf8 -subj "$2" \
        -keyout "$1.key" -out "$1.csr" 2>/dev/null
    printf '%s\n' "$3" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority.key -days $days \
        -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    rm "$1.csr" "$1.ext"
}

authority authority
leaf one "/CN=one" "subjectAltName=DNS:one.test,DNS:localhost,IP:127.0.0.1"
leaf two "/CN=two" "subjectAltName=DNS:two.test,DNS:*.two.test"
leaf client "/O=Holdfast Tests/OU=Engines/CN=Ada ü, Countess" "extendedKeyUsage=clientAuth"
rm -f *.srl authority.key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days \
    -subj "/CN=stranger" -keyout stranger.key -out stranger.pem \
    -addext "subjectAltName=DNS:one.test" -addext "extendedKeyUsage=clientAuth,serverAuth" 2>/dev/null

#!/bin/sh
# Pays by a node of yours on this machine: sh examples/pay.sh perun1…@host 1000000000000000
# Amounts are wei. Asked again with the same key, the third word, it has happened once.
set -eu
place="${PERUN_HOME:-$HOME/.perun}/api.json"
url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$place")
# The token goes by standard input: what stands in a command line, others on this machine can read.
sed 's/.*"token":"\([^"]*\)".*/header = "Authorization: Bearer \1"/' "$place" |
  curl --silent --show-error --config - --header "Content-Type: application/json" --data "
    {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"pay\", \"params\": {
      \"to\": \"$1\", \"amount\": \"$2\", \"text\": \"by curl\",
      \"idempotencyKey\": \"${3:-$(date +%s)-$$}\"}}" "$url"
echo

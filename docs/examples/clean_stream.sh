#!/usr/bin/env bash
# `cleaner` as a child process that stays: a record in, the same record out, one model for all.
#
#     ./clean_stream.sh < articles.jsonl > clean.jsonl
set -euo pipefail

command -v cleaner > /dev/null || {
    echo "cleaner is not on the PATH" >&2
    exit 127
}

# --on-error keep: a record that cannot be used is answered with itself. Left out, it would have no
# answer, and be waited for without end.
coproc cleaner { read -r _ && exec cleaner --format jsonl --on-error keep -; }
child=$cleaner_PID
# Copies, for bash closes its own and forgets the child as soon as it ends, with what it said last
# still in them. Until they are made, the child waits to be told to begin.
exec {to}>&"${cleaner[1]}" {from}<&"${cleaner[0]}" {cleaner[1]}>&- {cleaner[0]}<&-
echo begin >&"$to"
trap '' PIPE # to write to a child that is gone is an error, and not the end

answer_to() {
    printf '%s\n' "$1" >&"$to" && IFS= read -r answer <&"$from"
}

gone=
while IFS= read -r record || [ -n "$record" ]; do # the last record may lack its newline
    [[ $record =~ [^[:space:]] ]] || continue
    answer_to "$record" 2> /dev/null || {
        gone=yes
        break
    }
    printf '%s\n' "$answer"
done

exec {to}>&-          # no more records: the child ends
wait "$child" || exit # with the child's status; it has said why
[ -z "$gone" ] || {
    echo "cleaner ended before the records did" >&2
    exit 1
}

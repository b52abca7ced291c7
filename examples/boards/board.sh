#!/usr/bin/env bash
# A board without Python: asks for one measured run, drives the marker, and prints the result.
# Needs bash 5, mosquitto_pub and mosquitto_sub.
#
#   BENCH=lab1 BOARD=board7 MARKER=gpio:/dev/gpiochip0:17 NETWORK=resnet18 examples/boards/board.sh ./infer_one_batch
#
# The arguments are the command that infers one batch; without any, a batch is a sleep of 50 ms.
# MARKER is gpio:DEVICE:LINE (through gpioset of libgpiod 2), sysfs:NUMBER (old kernels), or tcp://HOST:PORT (the
# simulated bench).
# BROKER_USER and BROKER_PASSWORD: the log-in, where the broker wants one. BROKER_CA: the authority of a broker with TLS;
# BROKER_CERT and BROKER_KEY: our certificate, where it wants one.
set -euo pipefail

broker_host=${BROKER_HOST:-127.0.0.1}
broker_port=${BROKER_PORT:-1883}
bench=${BENCH:-lab1}
board=${BOARD:-shell}
marker=${MARKER:?set MARKER to gpio:DEVICE:LINE, sysfs:NUMBER or tcp://HOST:PORT}
network=${NETWORK:-resnet18}
batch_size=${BATCH_SIZE:-1}
batches=${BATCHES:-20}
timeout_s=${TIMEOUT_S:-60}
status_timeout_s=${STATUS_TIMEOUT_S:-5}
infer=("$@")
((${#infer[@]})) || infer=(sleep 0.05)

run_id=${RUN_ID:-shell-$$-${EPOCHREALTIME/[.,]/}}
root=joulebench/v1/$bench
topic=$root/boards/$board/runs/$run_id

broker=(-h "$broker_host" -p "$broker_port" -q 1)
[[ -z ${BROKER_USER:-} ]] || broker+=(-u "$BROKER_USER")
[[ -z ${BROKER_CA:-} ]] || broker+=(--cafile "$BROKER_CA")
[[ -z ${BROKER_CERT:-} ]] || broker+=(--cert "$BROKER_CERT" --key "${BROKER_KEY:?set BROKER_KEY with BROKER_CERT}")
clients=${XDG_CONFIG_HOME:-${HOME:-}/.config} # where the clients look for options of their own
private=
if [[ -n ${BROKER_PASSWORD:-} ]]; then # as an argument everybody on the board could see it
    private=$(mktemp -d)
    trap 'rm -rf "$private"' EXIT
    clients=$private
    for client in mosquitto_pub mosquitto_sub; do
        (umask 077 && echo "-P $BROKER_PASSWORD" >"$private/$client")
    done
fi

publish() { # KIND JSON
    XDG_CONFIG_HOME=$clients mosquitto_pub "${broker[@]}" -t "$topic/$1" -m "$2"
}

utc_ns() { # microseconds are what bash has
    echo "${EPOCHREALTIME/[.,]/}000"
}

waiting= # yes, while the bench waits for this script
abort() { # CODE TEXT: free the bench, where it waits
    [[ -z $waiting ]] || publish abort "{\"v\": 1, \"reason\": \"$1\", \"text\": \"$2\"}"
    waiting=
}

give_up() { # CODE TEXT
    echo "board.sh: $2" >&2
    abort "$1" "$2"
    exit 1
}

# --- the marker: high while a batch runs -----------------------------------------------------------------------------
case $marker in
tcp://*:*)
    address=${marker#tcp://}
    exec {marker_fd}<>"/dev/tcp/${address%:*}/${address##*:}"
    set_marker() { # answered once the level has been taken
        local answer
        echo "$1" >&"$marker_fd"
        read -r -t 5 answer <&"$marker_fd" && [[ $answer == ok ]] || give_up marker_failed "the marker did not take level $1"
    }
    ;;
gpio:*:*)
    line=${marker##*:}
    device=${marker#gpio:}
    exec {marker_fd}> >(exec gpioset --interactive --chip "${device%:*}" "$line=0" >/dev/null)
    set_marker() { echo "set $line=$1" >&"$marker_fd"; }
    ;;
sysfs:*)
    gpio=${SYSFS_GPIO:-/sys/class/gpio}
    line=$gpio/gpio${marker#sysfs:}
    if [[ ! -e $line/value ]]; then
        echo "${marker#sysfs:}" >"$gpio/export"
        for ((tries = 0; tries < 200; tries++)); do # udev gives it to its group a moment later
            [[ ! -w $line/direction || ! -w $line/value ]] || break
            sleep 0.01
        done
    fi
    echo low >"$line/direction" # an output, and low at once
    set_marker() { echo "$1" >"$line/value"; }
    ;;
*)
    echo "board.sh: MARKER=$marker is none of gpio:DEVICE:LINE, sysfs:NUMBER, tcp://HOST:PORT" >&2
    exit 2
    ;;
esac

# --- what the daemon says of itself and of this run -------------------------------------------------------------------
exec {daemon_fd}< <(XDG_CONFIG_HOME=$clients exec mosquitto_sub "${broker[@]}" -F '%t %p' \
    -t "$root/runs/$run_id/state" -t "$root/runs/$run_id/result" -t "$root/status")
subscriber=$!

high= # yes, while the marker is
clean_up() { # however the script ends: an inference that fails, Ctrl-C
    [[ -z $high ]] || (waiting='' && set_marker 0) || true
    abort program_failed "board.sh ended before its run did" || true
    kill "$subscriber" 2>/dev/null || true
    [[ -z $private ]] || rm -rf "$private"
}
trap clean_up EXIT

state_of() { # JSON: print its state
    [[ $1 =~ \"state\":[[:space:]]*\"([a-z]+)\" ]] && echo "${BASH_REMATCH[1]}"
}

# The end of a run is not retained: whoever asks for one before he listens may never hear that it was refused.
# The daemon's status is retained: once it has come, the subscription stands.
wait_for_daemon() {
    local topic='' message
    until [[ $topic == "$root/status" ]]; do
        if ! read -r -t "$status_timeout_s" topic message <&"$daemon_fd"; then
            echo "board.sh: no daemon has ever been on bench $bench, or no broker at $broker_host:$broker_port" >&2
            exit 1
        fi
    done
    if [[ $(state_of "$message") != online ]]; then
        echo "board.sh: the daemon of bench $bench is not online: $message" >&2
        exit 1
    fi
}

result=
wait_for() { # STATE: return once the daemon says so; a run that ends otherwise ends this script
    local topic message state
    while read -r -t "$timeout_s" topic message <&"$daemon_fd"; do
        if [[ $topic == */result ]]; then
            result=$message
        elif [[ $topic == */state ]] && state=$(state_of "$message"); then
            [[ $state == "$1" ]] && return
            case $state in
            rejected | failed | interrupted)
                waiting=
                echo "board.sh: run $run_id: $message" >&2
                exit 1
                ;;
            esac
        fi
    done
    give_up daemon_silent "the daemon did not say $1 within $timeout_s s"
}

# --- the run ----------------------------------------------------------------------------------------------------------
images=$((batches * batch_size))
wait_for_daemon
waiting=yes
publish request "{\"v\": 1, \"network\": \"$network\", \"batch_size\": $batch_size, \"precision\": \"fp32\",
    \"images_planned\": $images, \"captures\": 1, \"sync\": [\"marker\"]}"
wait_for armed

publish started "{\"v\": 1, \"started_utc_ns\": $(utc_ns)}"
for ((batch = 0; batch < batches; batch++)); do
    high=yes
    set_marker 1
    "${infer[@]}"
    set_marker 0
    high=
    sleep 0.001 # the record must show the marker low for at least 60 us
done
publish finished "{\"v\": 1, \"finished_utc_ns\": $(utc_ns), \"images\": $images, \"batches\": $batches}"
waiting= # the daemon has all it needs: an abort would spoil a good result

wait_for "done"
echo "$result"

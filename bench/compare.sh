#!/usr/bin/env bash
# Measures the gateway beside the floor, mles 1.1.7, mles 2.9.4, nats-server, mosquitto and RabbitMQ, all on this machine's
# loopback and in turn, and writes bench/RESULTS.md: about 13 minutes. See bench/README.md.
#
#   bench/compare.sh [RESULTS.md]
#
#   MLES_REFS   where the reference programs are (default ~/.cache/mles-refs; .ci/references.sh installs them)
#   QUICK=1     one short run of each, to see that all works; the figures mean nothing
#   ONLY=REGEX  only the sections whose name matches
#   KEEP=DIR    keep logs and the reports as JSON there
set -euo pipefail
shopt -s extglob
repo=$(cd "$(dirname "$0")/.." && pwd)
results=$(realpath -m "${1:-$repo/bench/RESULTS.md}")
refs=${MLES_REFS:-$HOME/.cache/mles-refs}
nats=github.com/nats-io/nats-server/v2@v2.15.2

fail() {
	echo "compare.sh: $*" >&2
	exit 1
}

# First with a network: build and install. Then again without one, in a network namespace of its own, where nothing
# else is on the ports and nothing leaves the machine.
if [ -z "${BENCH_WORK:-}" ]; then
	BENCH_WORK=${KEEP:-$(mktemp -d)}
	mkdir -p "$BENCH_WORK/bin"
	export BENCH_WORK
	for tool in mosquitto rabbitmq-server jq openssl curl unshare; do
		command -v $tool >/dev/null || fail "$tool is missing: apt-get install mosquitto rabbitmq-server jq openssl curl util-linux"
	done
	"$repo/.ci/references.sh" "$refs" >&2
	hook="{\"Replace\":{\"$repo/cmd/mlesd/benchhook.go\":\"$repo/.ci/load/testdata/hook.go\"}}"
	echo "$hook" >"$BENCH_WORK/overlay.json"
	(cd "$repo" && go build -overlay "$BENCH_WORK/overlay.json" -o "$BENCH_WORK/bin/mlesd" ./cmd/mlesd && go build -o "$BENCH_WORK/bin/mlesctl" ./cmd/mlesctl)
	(cd "$repo" && go test -c -o "$BENCH_WORK/bin/bus.test" ./bridge/bus && go test -c -o "$BENCH_WORK/bin/bridge.test" ./bridge)
	[ -x "$BENCH_WORK/bin/nats-server" ] || GOBIN="$BENCH_WORK/bin" go install "$nats" >&2
	unshare --net true 2>/dev/null && ns="unshare --net" || ns="unshare --net --map-root-user"
	status=0
	$ns "$0" "$results" || status=$?
	[ -n "${KEEP:-}" ] || rm -rf "$BENCH_WORK"
	exit $status
fi

ip link set lo up
cd "$BENCH_WORK"
mkdir -p reports
rm -f reports/*
export MLES_KEY=bench XDG_CACHE_HOME=$BENCH_WORK/cache
PATH=$BENCH_WORK/bin:$PATH
declare -A pids
trap 'kill "${pids[@]}" 2>/dev/null || true; rabbit_gone' EXIT

# start NAME COMMAND…: in the background; its PID is in ${pids[NAME]}.
start() {
	local name=$1
	shift
	"$@" >"$name.log" 2>&1 </dev/null &
	pids[$name]=$!
}

stop() {
	kill "${pids[$1]}" && wait "${pids[$1]}" 2>/dev/null || true
	unset "pids[$1]"
}

# listening NAME PORT: waits until it does.
listening() {
	for _ in $(seq 300); do
		(exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return
		kill -0 "${pids[$1]}" 2>/dev/null || fail "$1 ended: $(tail -n3 "$1.log")"
		sleep 0.1
	done
	fail "$1 does not listen on port $2: $(tail -n3 "$1.log")"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null

# mlesd [FLAG…]: v1 on 8177, v2 plain on 8180, over TLS on 8143. Port 8077 is that of mles 1.1.7, which has no other.
gateway() {
	rm -f hook.sock
	start mlesd env LOAD_HOOK="$BENCH_WORK/hook.sock" mlesd --v1-listen 127.0.0.1:8177 --plain-listen 127.0.0.1:8180 \
		--v2-listen 127.0.0.1:8143 --admin-listen off --tls-cert cert.pem --tls-key key.pem "$@"
	listening mlesd 8177
	listening mlesd 8143
}

references() {
	start mles1 "$refs/v1/bin/mles"
	listening mles1 8077
	mkdir -p www/localhost cache2
	local name
	name=$(printf 'localhost\0https://acme-v02.api.letsencrypt.org/directory' | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')
	cat key.pem cert.pem >"cache2/cached_cert_$name"
	start mles2 "$refs/v2/bin/mles" --domains localhost --wwwroot www --cache cache2 --port 8443 --per-ip-limit 30000
	listening mles2 8443
	start nats nats-server -a 127.0.0.1 -p 4222
	listening nats 4222
	printf 'listener 1883 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n' >mosquitto.conf
	start mosquitto mosquitto -c mosquitto.conf
	listening mosquitto 1883
}

# rabbit: RabbitMQ with its plugin for MQTT on 1884, all of it in a folder of its own. It is there only while it is
# measured, since it takes CPU when it has nothing to do.
rabbit() {
	echo '[rabbitmq_mqtt].' >plugins
	printf '%s\n' 'listeners.tcp.default = 127.0.0.1:5672' 'mqtt.listeners.tcp.default = 127.0.0.1:1884' \
		'mqtt.allow_anonymous = true' 'mqtt.default_user = guest' 'mqtt.default_pass = guest' >rabbit.conf
	start rabbit env HOME="$BENCH_WORK" ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=bench@localhost RABBITMQ_MNESIA_BASE="$BENCH_WORK/rabbit" \
		RABBITMQ_LOG_BASE="$BENCH_WORK/rabbit" RABBITMQ_ENABLED_PLUGINS_FILE="$BENCH_WORK/plugins" RABBITMQ_CONFIG_FILE="$BENCH_WORK/rabbit.conf" \
		setsid /usr/lib/rabbitmq/bin/rabbitmq-server
	listening rabbit 1884
}

# rabbit_gone: what it starts does not end with it.
rabbit_gone() {
	pkill -9 -f "$BENCH_WORK/rabbit" || true
	epmd -kill >/dev/null 2>&1 || true
}

v1=v1://127.0.0.1:8177 v1s=v1s://127.0.0.1:8178 v2=wss://127.0.0.1:8143 plain=ws://127.0.0.1:8180

if [ -n "${QUICK:-}" ]; then runs=1 time=200ms; else runs=5 time=1s; fi

# measure NAME TITLE MODE FLAG…: one section of the report.
measure() {
	local name=$1 title=$2 mode=$3
	shift 3
	[[ $name =~ ${ONLY:-.} ]] || return 0
	echo "$SECONDS s: $title" >&2
	mlesctl bench "$mode" --name mlesd --pid "${pids[mlesd]}" --insecure --runs $runs "$@" \
		--format markdown --title "$title" --save "reports/$name.json" >"reports/$name.md" || echo "compare.sh: $name has failed runs" >&2
	{
		cat "reports/$name.md"
		printf '\n`mlesctl bench %s' "$mode"
		for word; do
			word=${word//,pid=+([0-9])/}
			[[ $word != *" "* ]] || word="'$word'"
			printf ' %s' "${word/"$BENCH_WORK"/.}"
		done
		printf '`\n\n'
	} >>sections.md
}

flood() {
	local name=$1 title=$2
	shift 2
	measure "$name" "$title" fanout --duration $time "$@"
}

# Other servers, for --against. Slower ones get fewer of the same messages.
peer_nats() { echo "nats-server=nats://127.0.0.1:4222,pid=${pids[nats]}"; }
peer_mosquitto() { echo "mosquitto=mqtt://127.0.0.1:1883,pid=${pids[mosquitto]},messages=$1"; }
peer_mles1() { echo "mles 1.1.7=v1://127.0.0.1:8077,pid=${pids[mles1]},messages=$1"; }
peer_mles2() { echo "mles 2.9.4=wss://127.0.0.1:8443,pid=${pids[mles2]},messages=$1"; }

# figure NAME UNIT [LOG]: the median of a benchmark's runs.
figure() {
	cat "${3:-bus.log}" connection.log 2>/dev/null | awk -v name="$1" -v unit="$2" '$1 == name { for (i = 3; i < NF; i++) if ($(i + 1) == unit) print $i }' |
		sort -g | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

rm -f bus.log connection.log
: >sections.md
begun=$(date -u +%Y-%m-%dT%H:%MZ)
gateway
references

flood v1-64 'Flood, v1 → 100 v1, 64 B' --sub $v1 \
	--against "$(peer_nats)" --against "$(peer_mles1 1000)" --against "$(peer_mosquitto 1000)"
flood v1-1k 'Flood, v1 → 100 v1, 1 KiB' --sub $v1 --size 1024 \
	--against "$(peer_nats)" --against "$(peer_mles1 1000)" --against "$(peer_mosquitto 1000)"
flood v2-tls 'Flood, v2 → 100 v2, over TLS, 64 B' --sub $v2 --against "$(peer_mles2 500)"
flood v1-v2 'Flood, v1 → 100 v2 over TLS' --pub $v1 --sub $v2 --floor off \
	--against "v1 alone=$v1,pid=${pids[mlesd]}" --against "v2 alone=$v2,pid=${pids[mlesd]}"
flood v2-v1 'Flood, v2 over TLS → 100 v1' --pub $v2 --sub $v1 --floor off \
	--against "v1 alone=$v1,pid=${pids[mlesd]}" --against "v2 alone=$v2,pid=${pids[mlesd]}"
flood many 'Flood, 100 channels × 10 members' --sub $v1 --channels 100 --subs 10 --against "$(peer_nats)"
flood one 'Flood, 1 → 1' --sub $v1 --subs 1 --against "$(peer_nats)"
measure paced-v1 'Paced, v1, 100 members, 100 messages/s' latency --sub $v1 --duration 3s --against "$(peer_nats)"
measure paced-v2 'Paced, v2 over TLS, 100 members, 100 messages/s' latency --sub $v2 --duration 3s
if [[ hello =~ ${ONLY:-.} ]]; then rabbit; fi
measure hello 'Hello, v1, 100 receivers' hello --sub $v1 --rounds 6 \
	--against "$(peer_nats)" --against "$(peer_mles1 1)" --against "$(peer_mosquitto 1)" --against 'RabbitMQ=mqtt://127.0.0.1:1884'
rabbit_gone
unset "pids[rabbit]"
measure storm-v1 'Joins, v1' storm --sub $v1 --against "$(peer_mles1 2000)"
measure storm-v2 'Joins, v2 over TLS' storm --sub $v2 --members 1000 --against "$(peer_mles2 300)"
flood members-100 'Flood, v1, 100 members' --sub $v1
flood members-1000 'Flood, v1, 1,000 members' --sub $v1 --subs 1000
flood members-8000 'Flood, v1, 8,000 members' --sub $v1 --subs 8000
flood two 'Flood, v1, two busy channels of 100' --sub $v1 --channels 2
measure slow 'Flood, v1, 90 of 100 members read' slow --sub $v1 --subs 90 --stopped 10 --duration $time
measure replay-v1 'History to joiners, v1' replay --sub $v1 --against "$(peer_mles1 1)"
measure replay-v2 'History to joiners, v2 over TLS' replay --sub $v2
stop mlesd
declare -A called=([v1]=v1 [v1s]='v1 over TLS' [plain]='v2 without TLS' [v2]='v2 over TLS')
for kind in v1 v1s plain v2; do
	rm -rf cache # the record of who was there
	gateway --history-limit 0 --v1-tls-listen 127.0.0.1:8178
	runs=1 measure "idle-$kind" "Idle connections, ${called[$kind]}" idle --sub "${!kind}" --floor off --members "$([ -n "${QUICK:-}" ] && echo 500 || echo 10000)" \
		--collect "unix:$BENCH_WORK/hook.sock:/free"
	stop mlesd
done

# What the bus does by itself, in runs of go test: name, nanoseconds, other figures.
if [[ bus =~ ${ONLY:-.} ]]; then
	echo "$SECONDS s: the bus" >&2
	bus.test -test.run '^$' -test.bench '^Benchmark(Publish|CatchUp|Replay|Join|Among|Channels)$' -test.benchtime "$time" -test.count "$runs" >bus.log
	GOGC=off bus.test -test.run '^$' -test.bench '^BenchmarkAmong/join$' -test.benchtime 100ms -test.count "$runs" >resting.log
	bridge.test -test.run '^$' -test.bench '^BenchmarkConnection$' -test.benchtime "$time" -test.count "$runs" >connection.log
	{
		printf '### The bus, and one connection through the gateway\n\n'
		printf 'Medians of %s runs. `Connection/a→b`: one message read, checked, mapped, stored and written.\n\n' "$runs"
		printf '| benchmark | time | memory | allocations | |\n|---|---|---|---|---|\n'
		for name in $(cat bus.log connection.log | awk '/^Benchmark/ { print $1 }' | awk '!seen[$0]++'); do
			shown=${name#Benchmark}
			printf '| %s | %s ns | %s B | %s | %s |\n' "${shown%-*}" "$(figure "$name" ns/op)" "$(figure "$name" B/op)" "$(figure "$name" allocs/op)" \
				"$(if [[ $name == *Channels/joins* ]]; then echo "$(figure "$name" heap-B/channel) B a channel"; fi)"
		done
		printf "\n\`go test -run '^$' -bench . ./bridge/bus ./bridge\`\n\n"
	} >>sections.md
fi

# ratio NAME ENTRY KEY: the ratio of mlesd's figure to that entry's. median NAME KEY: mlesd's own figure.
ratio() { jq -r --arg e "$2" --arg k "$3" '[.entries[]|select(.name==$e).figures[]|select(.key==$k).ratio.median]|first // empty' "reports/$1.json" 2>/dev/null || true; }
median() { jq -r --arg k "$2" '[.entries[0].figures[]|select(.key==$k).median]|first // empty' "reports/$1.json" 2>/dev/null || true; }
quotient() { awk -v a="${1:-x}" -v b="${2:-x}" 'BEGIN { if (a+0 > 0 && b+0 > 0) print a/b }'; }
larger() { awk -v a="${1:-x}" -v b="${2:-x}" 'BEGIN { if (a != "x" && b != "x") print (a > b ? a : b) }'; }

# target WHAT VALUE OP LIMIT [SCALE UNIT]: a row of the summary.
target() {
	[ -n "$2" ] || return 0
	awk -v what="$1" -v v="$2" -v op="$3" -v lim="$4" -v scale="${5:-1}" -v unit="${6:-}" 'BEGIN {
		v *= scale
		met = op == "≥" ? v >= lim : v <= lim
		printf "| %s | %s %g%s | %.3g%s | %s |\n", what, op, lim, unit, v, unit, met ? "yes" : "**no**" }' >>targets.md
}

# because TEXT VALUE…: why the last target is not met, if it is not.
because() {
	if tail -n1 targets.md | grep -qF '**no**'; then
		local text=$1
		shift
		sed -i "\$s;\*\*no\*\* |;**no**: $(printf "$text" "$@") |;" targets.md
	fi
}

d=deliveries_per_s cpu=cpu_s_per_delivery
: >targets.md
target 'flood v1 → 100 v1, 64 B: × floor' "$(ratio v1-64 floor $d)" ≥ 0.8
target 'flood v1 → 100 v1, 1 KiB: × floor' "$(ratio v1-1k floor $d)" ≥ 0.8
target 'flood v2 → 100 v2, TLS: × TLS floor' "$(ratio v2-tls floor $d)" ≥ 0.7
target 'flood v2 → 100 v2, TLS: × mles 2.9.4' "$(ratio v2-tls 'mles 2.9.4' $d)" ≥ 50
target 'flood v1 → v2: × the slower of v1 and v2 alone' "$(larger "$(ratio v1-v2 'v1 alone' $d)" "$(ratio v1-v2 'v2 alone' $d)")" ≥ 0.8
target 'flood v2 → v1: × the slower of v1 and v2 alone' "$(larger "$(ratio v2-v1 'v1 alone' $d)" "$(ratio v2-v1 'v2 alone' $d)")" ≥ 0.8
target 'flood, 100 channels × 10: × nats-server' "$(ratio many nats-server $d)" ≥ 1
target 'flood, 1 → 1: × nats-server' "$(ratio one nats-server $d)" ≥ 1
target 'paced v1: CPU a delivery × floor' "$(ratio paced-v1 floor $cpu)" ≤ 1.25
target 'paced v1: p99 × floor' "$(ratio paced-v1 floor p99_s)" ≤ 1.25
target 'paced v2, TLS: CPU a delivery × floor' "$(ratio paced-v2 floor $cpu)" ≤ 1.25
target 'paced v2, TLS: p99 × floor' "$(ratio paced-v2 floor p99_s)" ≤ 1.25
target 'hello, 100 receivers: × mles 1.1.7' "$(ratio hello 'mles 1.1.7' p50_s)" ≤ 0.6
hello=$(ratio hello floor p50_s)
because 'the floor, a server that does nothing but copy, needs %.2g of the time of mles 1.1.7 in the same runs, and mlesd %.3g of the floor' \
	"$(quotient "$(ratio hello 'mles 1.1.7' p50_s)" "$hello")" "$hello"
target 'hello, 100 receivers: × RabbitMQ (MQTT)' "$(ratio hello RabbitMQ p50_s)" ≤ 0.25
because 'the floor needs %.2g of the time of RabbitMQ in the same runs' "$(quotient "$(ratio hello RabbitMQ p50_s)" "$hello")"
target 'idle connection, v1, KiB' "$(median idle-v1 bytes_per_connection)" ≤ 6 0.0009765625
target 'idle connection, v2 plain, KiB' "$(median idle-plain bytes_per_connection)" ≤ 12 0.0009765625
target 'idle connection, v2 TLS, KiB' "$(median idle-v2 bytes_per_connection)" ≤ 18 0.0009765625
target 'joins a second, v1: × mles 1.1.7' "$(ratio storm-v1 'mles 1.1.7' joins_per_s)" ≥ 1
target 'joins a second, v2 TLS: × the handshake alone' "$(ratio storm-v2 floor joins_per_s)" ≥ 0.85
target '1,000 members: CPU a delivery × that at 100' "$(quotient "$(median members-1000 $cpu)" "$(median members-100 $cpu)")" ≤ 1.25
target '8,000 members: CPU a delivery × that at 100' "$(quotient "$(median members-8000 $cpu)" "$(median members-100 $cpu)")" ≤ 1.25
target '10 % of members stopped: throughput × without them' "$(ratio slow 'none stopped' $d)" ≥ 0.9
target 'two busy channels: CPU a delivery × one' "$(quotient "$(median two $cpu)" "$(median members-100 $cpu)")" ≤ 1.15

publish=BenchmarkAmong/publish/channels join=BenchmarkAmong/join/channels procs=$(nproc)
target '1 → 100,000 channels: publishing ×' "$(quotient "$(figure "$publish=100000-$procs" ns/op)" "$(figure "$publish=1-$procs" ns/op)")" ≤ 1.25
target '1 → 100,000 channels: joining ×' "$(quotient "$(figure "$join=100000-$procs" ns/op)" "$(figure "$join=1-$procs" ns/op)")" ≤ 1.25
because 'with the garbage collector at rest it is %.2f: 1.5 KB is made for each join, and the share of the collector in that grows with all that is alive' \
	"$(quotient "$(figure "$join=100000-$procs" ns/op resting.log)" "$(figure "$join=1-$procs" ns/op resting.log)")"
target 'a channel with a stored join, KiB' "$(figure "BenchmarkChannels/joins=1-$procs" heap-B/channel)" ≤ 2 0.0009765625
target 'allocations a message, v1 → v1' "$(figure "BenchmarkConnection/v1→v1-$procs" allocs/op)" ≤ 1
target 'allocations a message, v2 → v1' "$(figure "BenchmarkConnection/v2→v1-$procs" allocs/op)" ≤ 1
target 'allocations a message and its 100 deliveries, in the bus' "$(figure "BenchmarkPublish/history=200/members=100-$procs" allocs/op)" ≤ 0

{
	echo "# Results"
	echo
	echo "Written by [\`bench/compare.sh\`](compare.sh), begun $begun, $((SECONDS / 60)) min $((SECONDS % 60)) s. What is measured, and how: [README.md](README.md)."
	[ -z "${QUICK:-}" ] || printf '\n**A trial of the script (QUICK=1): these figures mean nothing.**\n'
	echo
	echo "| | |"
	echo "|---|---|"
	first=$(find reports -name '*.json' | head -n1)
	jq -r '.machine | "| machine | \(.cores) cores, \(.cpu); Linux \(.kernel), \(.system); generator and servers on it together |"' "$first"
	echo "| mlesd, mlesctl, floor | $(git -C "$repo" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown), $(go env GOVERSION) |"
	echo "| nats-server | $(nats-server --version | sed 's/.*: v//'), by \`go install $nats\` |"
	echo "| mosquitto | $(mosquitto -h | sed -n 's/^mosquitto version //p'), Debian package |"
	echo "| RabbitMQ | $(dpkg-query -W -f '${Version}' rabbitmq-server 2>/dev/null || echo unknown), Debian package, by its MQTT plugin |"
	echo "| mles | 1.1.7 and 2.9.4, by \`cargo install\` (.ci/references.sh) |"
	echo
	echo "## Targets"
	echo
	echo "| what | target | measured, median | met |"
	echo "|---|---|---|---|"
	cat targets.md
	echo
	echo "## Sections"
	echo
	echo "A ratio is mlesd's figure by that of the other, run by run: more is better for deliveries and joins, less for times, CPU and memory."
	echo
	cat sections.md
} >results.md
cp results.md "$results"
echo "$SECONDS s: $results" >&2

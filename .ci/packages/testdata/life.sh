#!/bin/bash
# The life of the package mles on a Debian that was just installed, with systemd as its first process. Run by the
# machine itself (machine_test.go); ends with 0 if all was as it should be. $1 and $2 are two versions of the package.
set -Eeuo pipefail
cd /
export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin

fail() {
	echo "life.sh: $*"
	systemctl status --no-pager mlesd.service || true
	journalctl --no-pager -u mlesd.service || true
	exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR

step() { echo "== $*"; }

state() { systemctl show --property "$1" --value mlesd.service; }

is() { [ "$2" = "$3" ] || fail "$1 is $2, want $3"; }

# refuses COMMAND…: it must not succeed.
refuses() { if "$@"; then fail "this should have failed: $*"; fi; }

install() { DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i "$1"; }

step 'installing starts nothing'
install "$1"
is state "$(state ActiveState)" inactive
is 'start at boot' "$(systemctl is-enabled mlesd.service mlesd-v1.socket mlesd-v2.socket | sort -u || true)" disabled
is 'the home of mlesd' "$(getent passwd mlesd | cut -d: -f6,7)" /var/lib/mlesd:/usr/sbin/nologin
is /etc/mles "$(stat -c '%a %U:%G' /etc/mles)" '750 root:mlesd'
is mlesd.env "$(stat -c '%a %U:%G' /etc/mles/mlesd.env)" '640 root:mlesd'
[ ! -e /var/lib/mlesd ] || fail 'there is a state before the first start'
refuses grep -v '^#' <(grep . /etc/mles/mlesd.env)

step 'units'
systemd-analyze verify --man=no mlesd.service mlesd-v1.socket mlesd-v2.socket 2>&1 | tee /tmp/verify
[ ! -s /tmp/verify ] || fail 'systemd-analyze verify'
systemd-analyze security --threshold=20 --no-pager mlesd.service >/tmp/exposure || fail "exposed: $(tail -n1 /tmp/exposure)"
tail -n1 /tmp/exposure

step 'settings, start'
/usr/bin/install -m 640 -o root -g mlesd /dev/null /etc/mles/keys
echo swordfish >/etc/mles/keys
printf '%s\n' MLESD_KEY_FILE=/etc/mles/keys 'MLESD_V2_LISTEN=[::]:443' >>/etc/mles/mlesd.env
systemctl enable --quiet --now mlesd.service
is state "$(state ActiveState)" active
is type "$(state Type)" notify
pid=$(state MainPID)
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"; }
is user "$(stat -c %U:%G "/proc/$pid")" mlesd:mlesd
is 'what it may do' "$(status CapEff) $(status CapBnd)" '0000000000000400 0000000000000400' # CAP_NET_BIND_SERVICE
is NoNewPrivs "$(status NoNewPrivs)" 1
is Seccomp "$(status Seccomp)" 2
is /var/lib/mlesd "$(stat -c '%a %U:%G' /var/lib/mlesd)" '700 mlesd:mlesd'
is 'files that others could read' "$(find /var/lib/mlesd -type f -perm /077)" /var/lib/mlesd/localhost.pem # the certificate, without its key

# talk CHANNEL WORDS: what alice says over v1 comes to bob on v2.
talk() {
	MLES_KEY=swordfish mlesctl sub wss://localhost:443 "$1" --insecure --uid bob --count 1 --timeout 20s >/tmp/heard &
	local bob=$!
	for _ in {1..100}; do
		mlesctl status --uid bob --channel "$1" 2>&1 | grep -q bob && break
		sleep 0.1
	done
	MLES_KEY=swordfish mlesctl pub v1://localhost "$1" "$2" --uid alice
	wait "$bob"
	grep -q "$2" /tmp/heard || fail "bob has heard $(cat /tmp/heard)"
}

step 'alice talks to bob'
talk hall 'the door is open'
refuses env MLES_KEY=wrong mlesctl pub wss://localhost:443 hall hello --insecure
refuses env MLES_KEY=wrong timeout 20 mlesctl pub v1://localhost hall hello

step 'what a start would do'
MLESD_CACHE=/var/lib/mlesd mlesd --check --config /etc/mles/mlesd.env

step 'reload'
said() { journalctl --quiet --no-pager -u mlesd.service -o cat; }
# heard WORDS: the log says so, soon.
heard() {
	for _ in {1..100}; do
		said | grep -q -- "$1" && return
		sleep 0.1
	done
	fail "the log does not say $1"
}
echo MLESD_HISTORY_LIMIT=17 >>/etc/mles/mlesd.env
systemctl reload mlesd.service
heard 'history-limit'
echo MLESD_HISTORY=17 >>/etc/mles/mlesd.env
systemctl reload mlesd.service
heard 'unknown name MLESD_HISTORY'
sed -i '/^MLESD_HISTORY=/d' /etc/mles/mlesd.env
mlesctl reload
is 'the process after reloads' "$(state MainPID)" "$pid"

step 'upgrade of what runs'
before=$(mlesd --version)
install "$2"
[ "$(state MainPID)" != "$pid" ] || fail 'it was not restarted'
is state "$(state ActiveState)" active
grep -q '^MLESD_HISTORY_LIMIT=17$' /etc/mles/mlesd.env || fail 'settings are gone'
is mlesd.env "$(stat -c '%a %U:%G' /etc/mles/mlesd.env)" '640 root:mlesd'
echo "$before, now $(dpkg-query -f '${Version}' -W mles)"
talk porch 'the door is closed'
MLES_KEY=swordfish mlesctl sub wss://localhost:443 hall --insecure --uid carol --count 1 --timeout 20s >/tmp/heard
grep -q 'the door is open' /tmp/heard || fail "of what was said before the upgrade carol hears $(cat /tmp/heard)"
mlesctl status --ready
mlesctl history hall >/tmp/heard # root finds the token
grep -q 'the door is open' /tmp/heard || fail "the history is $(cat /tmp/heard)"
mlesctl purge hall
refuses mlesctl history hall

step 'stop'
began=$SECONDS
systemctl stop mlesd.service
is 'the end' "$(state Result) $(state ExecMainStatus)" 'success 0'
[ $((SECONDS - began)) -lt 30 ] || fail "stopping took $((SECONDS - began)) s"

step 'upgrade of what is stopped'
install "$1"
is state "$(state ActiveState)" inactive

step 'sockets that systemd holds'
systemctl start mlesd-v1.socket
is state "$(state ActiveState)" inactive
MLES_KEY=swordfish mlesctl pub v1://localhost hall 'wake up' --uid alice
is state "$(state ActiveState)" active
systemctl restart mlesd.service
talk attic 'the door is open again'
systemctl stop mlesd-v1.socket mlesd.service

step 'a setting that does not fit'
echo MLESD_V2_JOINS=sometimes >>/etc/mles/mlesd.env
refuses systemctl start mlesd.service
is 'the end' "$(state ExecMainStatus) $(state NRestarts)" '2 0'
heard '"sometimes" is none of'
sed -i '/^MLESD_V2_JOINS=/d' /etc/mles/mlesd.env
systemctl reset-failed mlesd.service

step 'killed, it comes back'
systemctl start mlesd.service
pid=$(state MainPID)
kill -9 "$pid"
for _ in {1..100}; do
	[ "$(state ActiveState)" = active ] && [ "$(state MainPID)" != "$pid" ] && break
	sleep 0.1
done
is 'restarts' "$(state NRestarts)" 1
talk cellar 'here we are'

step 'removed, it stops'
dpkg -r mles
! systemctl --quiet is-active mlesd.service || fail 'it still runs'
[ -z "$(readlink /proc/[0-9]*/exe | grep '^/usr/bin/mlesd' || true)" ] || fail 'it still runs'
[ -e /etc/mles/mlesd.env ] && [ -e /var/lib/mlesd ] || fail 'removing took settings or state'

step 'purged, it is gone'
dpkg -P mles
[ ! -e /var/lib/mlesd ] || fail 'the state is left'
is 'what is left in /etc/mles' "$(ls /etc/mles)" keys
is 'what is left' "$(find /etc/systemd /usr /var/lib/systemd -name '*mles*')" ''
getent passwd mlesd >/dev/null || fail 'its user is gone'

step 'nothing was denied to it'
if said | grep -iE 'not permitted|permission denied|read-only file system'; then
	fail 'the unit is too tight'
fi

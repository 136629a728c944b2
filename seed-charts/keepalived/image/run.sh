#!/bin/sh
# Writes keepalived's configuration from the environment, has keepalived check it, and becomes keepalived.
#
#   KEEPALIVED_VIP              the virtual addresses, separated by commas, each with or without a prefix length
#   KEEPALIVED_INTERFACE        the interface that gets them                                      [eth0]
#   KEEPALIVED_VROUTER_ID       1 to 255, one per virtual router in a network                     [51]
#   KEEPALIVED_PRIORITY         1 to 254, the highest wins                                        [100]
#   KEEPALIVED_ADVERT_INTERVAL  seconds between two advertisements; parts of one take VRRP 3      [1]
#   KEEPALIVED_UNICAST_PEERS    the nodes' addresses, separated by commas, where there is no multicast
#   KEEPALIVED_PASSWORD         at most 8 characters that the nodes show each other
#   KEEPALIVED_CHECK            a command; while it fails, the node does not hold the addresses
#   KEEPALIVED_CHECK_INTERVAL   seconds between two runs of it                                    [2]
#   NODE_NAME, NODE_IP          the node's name and address
set -eu

# Nobody but root reads the configuration: it holds the password.
umask 077
configuration=/run/keepalived/keepalived.conf
process=/run/keepalived.pid

refuse() {
  echo "run.sh: $*" >&2
  exit 64
}

# whole NAME VALUE LEAST MOST: refuses what is no number, or out of range.
whole() {
  case $2 in
    '' | *[!0-9]* | ????*) refuse "\`$1\` is \`$2\`: write a whole number from $3 to $4" ;;
  esac
  if [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
    refuse "\`$1\` is \`$2\`: write a whole number from $3 to $4"
  fi
}

# seconds NAME VALUE: refuses what is no time.
seconds() {
  case $2 in
    '' | . | *[!0-9.]* | *.*.*) refuse "\`$1\` is \`$2\`: write seconds, as in \`1\` or \`0.5\`" ;;
  esac
}

# address NAME VALUE: refuses what is no address. A configuration has no quotes for them: a blank would begin a word.
address() {
  case ${2%/*} in
    *[!0-9a-fA-F:.]* | '') refuse "\`$1\` has \`$2\`: write addresses, separated by commas" ;;
    *[.:]*) ;;
    *) refuse "\`$1\` has \`$2\`: write addresses, separated by commas" ;;
  esac
  case $2 in
    */*) case ${2#*/} in '' | *[!0-9]*) refuse "\`$1\` has \`$2\`: write the length of its prefix as a number" ;; esac ;;
  esac
}

# one_line NAME VALUE: refuses what would begin another line of the configuration, or end the quotes.
one_line() {
  case $2 in
    *'
'* | *'"'*) refuse "\`$1\` has a quote or a line break: leave it out" ;;
  esac
}

vip=${KEEPALIVED_VIP:-}
interface=${KEEPALIVED_INTERFACE:-eth0}
router=${KEEPALIVED_VROUTER_ID:-51}
priority=${KEEPALIVED_PRIORITY:-100}
interval=${KEEPALIVED_ADVERT_INTERVAL:-1}
peers=${KEEPALIVED_UNICAST_PEERS:-}
password=${KEEPALIVED_PASSWORD:-}
check=${KEEPALIVED_CHECK:-}
check_interval=${KEEPALIVED_CHECK_INTERVAL:-2}
node_address=${NODE_IP:-}
node=${NODE_NAME:-$(hostname)}
# What keepalived and the check inherit needs no password.
unset KEEPALIVED_PASSWORD

[ -n "$vip" ] || refuse "\`KEEPALIVED_VIP\` is not set: name the addresses to hold"
whole KEEPALIVED_VROUTER_ID "$router" 1 255
whole KEEPALIVED_PRIORITY "$priority" 1 254
whole KEEPALIVED_CHECK_INTERVAL "$check_interval" 1 999
seconds KEEPALIVED_ADVERT_INTERVAL "$interval"
one_line KEEPALIVED_CHECK "$check"
case $interface in
  '' | *[!0-9A-Za-z._@-]* | ????????????????*) refuse "\`KEEPALIVED_INTERFACE\` is \`$interface\`: write an interface's name" ;;
esac
[ -e "/sys/class/net/$interface" ] || refuse "this node has no interface \`$interface\`: set \`KEEPALIVED_INTERFACE\`"
case $node in
  *[!0-9A-Za-z._-]*) refuse "\`NODE_NAME\` is \`$node\`: write a host's name" ;;
esac
case $password in
  *[!\!-~]* | *[\"\!\#\{\}]*) refuse "\`KEEPALIVED_PASSWORD\` may hold letters, digits and signs, without blanks, quotes, braces, \`!\` and \`#\`" ;;
esac
# VRRP carries 8; keepalived would cut off the rest and only log it.
[ ${#password} -le 8 ] || refuse "\`KEEPALIVED_PASSWORD\` is longer than the 8 characters that VRRP carries"

# Version 2 counts whole seconds; version 3 counts hundredths and knows no passwords (RFC 5798, section 9).
version=2
case $interval in
  *.*)
    version=3
    [ -z "$password" ] || refuse "\`KEEPALIVED_PASSWORD\` needs whole seconds in \`KEEPALIVED_ADVERT_INTERVAL\`: VRRP 3 carries no password"
    ;;
esac

# each LIST ACTION: runs the action with each of the things that commas or blanks separate.
each() {
  for one in $(echo "$1" | tr ',' ' '); do
    "$2" "$one"
  done
}

# family ADDRESS: prints 6 or 4.
family() {
  case $1 in *:*) echo 6 ;; *) echo 4 ;; esac
}

# prefixed ADDRESS: prints an address with its prefix length; without one it stands for itself.
prefixed() {
  address KEEPALIVED_VIP "$1"
  case $1 in
    */*) echo "    $1" ;;
    *:*) echo "    $1/128" ;;
    *) echo "    $1/32" ;;
  esac
}

# One advertisement carries addresses of one family: the first one's. Those of the other move along with them.
carried() {
  [ "$(family "$1")" != "$(family "${vip%%[, ]*}")" ] || prefixed "$1"
}

moved_along() {
  [ "$(family "$1")" = "$(family "${vip%%[, ]*}")" ] || prefixed "$1"
}

# peer ADDRESS: prints one of the other nodes; a list of all nodes may go to each of them.
peer() {
  address KEEPALIVED_UNICAST_PEERS "$1"
  [ "$1" = "$node_address" ] || echo "    $1"
}

# Only what addresses may hold is split into words, and no word stands for files.
set -f

write_configuration() {
  echo "global_defs {"
  echo "  router_id $node"
  echo "  enable_script_security"
  echo "  script_user root"
  echo "}"
  if [ -n "$check" ]; then
    echo "vrrp_script check {"
    echo "  script \"/bin/sh /run/keepalived/check\""
    echo "  interval $check_interval"
    echo "  fall 2"
    echo "  rise 1"
    echo "}"
  fi
  echo "vrrp_instance virtual {"
  # All begin as the others' backup: nobody takes the address from a node that holds it without asking.
  echo "  state BACKUP"
  echo "  interface $interface"
  echo "  virtual_router_id $router"
  echo "  priority $priority"
  echo "  version $version"
  echo "  advert_int $interval"
  if [ -n "$password" ]; then
    echo "  authentication {"
    echo "    auth_type PASS"
    echo "    auth_pass $password"
    echo "  }"
  fi
  if [ -n "$peers" ]; then
    [ -z "$node_address" ] || echo "  unicast_src_ip $node_address"
    echo "  unicast_peer {"
    each "$peers" peer
    echo "  }"
  fi
  echo "  virtual_ipaddress {"
  each "$vip" carried
  echo "  }"
  echo "  virtual_ipaddress_excluded {"
  each "$vip" moved_along
  echo "  }"
  if [ -n "$check" ]; then
    echo "  track_script {"
    echo "    check"
    echo "  }"
  fi
  echo "}"
}

mkdir -p /run/keepalived
# A container that starts again finds what the last one left; keepalived would take the number for its own.
rm -f "$process"
if [ -n "$check" ]; then
  printf '%s\n' "$check" >/run/keepalived/check
fi
write_configuration >"$configuration"
if ! said=$(keepalived --config-test --use-file "$configuration" 2>&1); then
  refuse "keepalived refuses the configuration: $said"
fi
# As process 1 keepalived gets the container's signals itself: SIGTERM gives the addresses up first.
exec keepalived --dont-fork --log-console --use-file "$configuration" --pid "$process" "$@"

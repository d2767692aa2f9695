# Ends process groups when the program that started them is gone, however it ended. That program holds the other end of
# standard input and writes lines: `+ PID` for the leader of a new group, `- PID` when the group has ended.

groups=
while read -r change pid; do
  case $pid in
    '' | *[!0-9]*) continue ;;
  esac
  kept=
  for group in $groups; do
    [ "$group" = "$pid" ] || kept="$kept $group"
  done
  groups=$kept
  [ "$change" = + ] && groups="$groups $pid"
done

[ -n "$groups" ] || exit 0
for group in $groups; do
  kill -s TERM -- "-$group" 2>/dev/null
done
sleep 3
for group in $groups; do
  kill -s KILL -- "-$group" 2>/dev/null
done
exit 0

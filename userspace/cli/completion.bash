# SPDX-License-Identifier: MIT
# Bash completion of pollscope.

# _pollscope_options PROGRAM COMMAND: the command's options, from its own help.
_pollscope_options() {
	"$1" "$2" --help 2>/dev/null | sed -n 's/^  \(-[a-zA-Z],\|   \) \(--[a-z-]*\).*/\2/p'
}

# _pollscope_formats PROGRAM: what `export` writes, from its own help.
_pollscope_formats() {
	"$1" export --help 2>/dev/null | sed -n '/^Formats:/,$ s/^  \([a-z]*\) .*/\1/p'
}

# Names of processes that are not the kernel's own.
_pollscope_names() {
	ps -e --no-headers -o ppid=,comm= 2>/dev/null | awk '$1 != 2 { $1 = ""; print substr($0, 2) }' | sort -u
}

_pollscope() {
	local commands='record report flame export info doctor' command='' word i
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$word" = -- ]; then
			# The rest is COMMAND, which completes as it does by itself.
			if declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
			elif ((COMP_CWORD == i + 1)); then
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			fi
			return
		fi
		case " $commands " in *" $word "*) : "${command:=$word}" ;; esac
	done
	case $prev in
	-p | --pid)
		mapfile -t COMPREPLY < <(compgen -W "$(ps -e --no-headers -o pid= 2>/dev/null)" -- "$cur")
		return
		;;
	-n | --name)
		mapfile -t COMPREPLY < <(compgen -W "$(_pollscope_names)" -- "$cur")
		return
		;;
	-u | --user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--kind)
		mapfile -t COMPREPLY < <(compgen -W 'wall oncpu offcpu idle sched' -- "$cur")
		return
		;;
	-f | --format)
		if [ "$command" = export ]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_pollscope_formats "${COMP_WORDS[0]}")" -- "$cur")
			return
		fi
		word='folded svg'
		[ "$command" != report ] || word='text html'
		mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
		return
		;;
	--by)
		mapfile -t COMPREPLY < <(compgen -W 'type task worker' -- "$cur")
		return
		;;
	--runtime)
		mapfile -t COMPREPLY < <(compgen -W 'tokio pollrt usdt:' -- "$cur")
		return
		;;
	--unwind)
		mapfile -t COMPREPLY < <(compgen -W 'dwarf fp' -- "$cur")
		return
		;;
	--sort)
		mapfile -t COMPREPLY < <(compgen -W 'tasks alive polls lifetime_ns scheduled_ns polling_ns on_cpu_ns
			runqueue_ns blocked_ns idle_ns poll_ns.p50 poll_ns.p90 poll_ns.p99 poll_ns.max scheduled_wait_ns.p50
			scheduled_wait_ns.p90 scheduled_wait_ns.p99
			scheduled_wait_ns.max name location pid' -- "$cur")
		return
		;;
	--symfs)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-o | --output | --diff)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-d | --duration | -F | --freq | --await-stacks | --sample | --max-overhead | --buffer | --type | --tasks | --min-block)
		return
		;;
	esac
	if [ -z "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_pollscope_options "${COMP_WORDS[0]}" "$command")" -- "$cur")
	elif [ "$command" != record ] && [ "$command" != doctor ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -o filenames -F _pollscope pollscope

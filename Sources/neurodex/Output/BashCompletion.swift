import ArgumentParser
import Foundation

/// The argument parser's script for bash, with what it needs for names that have a colon in them.
enum BashCompletion {
    /// Nil where the line asks for no script, or for another shell's.
    static func script(for arguments: [String]) -> String? {
        let option = "--generate-completion-script"
        guard let place = arguments.firstIndex(where: { $0 == option || $0.hasPrefix(option + "=") }) else { return nil }
        let value =
            arguments[place] == option
            ? arguments[(place + 1)...].first : String(arguments[place].dropFirst(option.count + 1))
        let shell = value ?? ((ProcessInfo.processInfo.environment["SHELL"] ?? "") as NSString).lastPathComponent
        guard shell == CompletionShell.bash.rawValue else { return nil }
        // Its function for a whole line is called by ours.
        let generated = Neurodex.completionScript(for: .bash).replacingOccurrences(
            of: "\n_neurodex() {\n", with: "\n__neurodex_line() {\n")
        return generated.replacingOccurrences(of: "\ncomplete -o filenames", with: "\n" + wrapper + "complete -o filenames")
    }

    private static let wrapper = #"""
        # Bash parts words at : and =, and neurons (LAYER:CHANNEL) and options (--layer=LAYER) have them. The words are joined again before
        # they are looked at, and of the answers only what comes after the last colon is given.
        _neurodex() {
            local -a words=()
            local -i index
            local word is_open=false
            for ((index = 0; index <= COMP_CWORD; index++)); do
                word="${COMP_WORDS[index]}"
                if [[ "${word}" == '=' && "${words[-1]}" == --* ]]; then
                    # An option's value is a word of its own.
                    ((index == COMP_CWORD)) && words+=('')
                    is_open=false
                elif ((index > 0)) && [[ "${word}" == [:=]* || ("${is_open}" == true && -n "${word}") ]]; then
                    words[-1]+="${word}"
                    [[ "${word}" == *[:=] ]] && is_open=true || is_open=false
                else
                    words+=("${word}")
                    is_open=false
                fi
            done
            # What 'cam' does without the name of one of its commands.
            local is_cam=false
            if [[ "${words[1]}" == cam && ${#words[@]} -gt 2 && "${words[2]}" != @(map|fit) ]]; then
                words=("${words[@]:0:2}" map "${words[@]:2}")
                [[ ${#words[@]} -eq 4 ]] && is_cam=true
            fi
            local -r typed="${COMP_WORDS[COMP_CWORD]}" whole="${words[-1]}"
            local -a COMP_WORDS=("${words[@]}")
            local -i COMP_CWORD=$((${#words[@]} - 1))
            __neurodex_line "${1}" "${whole}" "${words[-2]}"
            "${is_cam}" && COMPREPLY+=($(compgen -W 'map fit' -- "${whole}"))
            if [[ "${whole}" == *:* && "${typed}" != "${whole}" ]]; then
                local -r head="${whole%"${whole##*:}"}"
                COMPREPLY=("${COMPREPLY[@]#"${head}"}")
            fi
            # What goes on is followed by no space, and what is no file is not quoted as one.
            [[ ${#COMPREPLY[@]} -gt 0 && "${COMPREPLY[0]}" == *[:/] ]] && compopt -o nospace 2>/dev/null
            [[ ${#COMPREPLY[@]} -gt 0 && ! -e "${COMPREPLY[0]}" ]] && compopt +o filenames 2>/dev/null
            return 0
        }

        """#
}

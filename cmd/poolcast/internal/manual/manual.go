package manual

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// Pages writes one page a command into a folder. Their date is SOURCE_DATE_EPOCH, if it
// is set, so that the same sources give the same bytes.
func Pages(root *cobra.Command, folder, version string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	root.DisableAutoGenTag = true
	for _, cmd := range append(root.Commands(), root) {
		if cmd != root && !cmd.IsAvailableCommand() {
			continue
		}
		page, err := page(cmd, version)
		if err != nil {
			return fmt.Errorf("write manual page of %s: %w", cmd.CommandPath(), err)
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		if err := os.WriteFile(filepath.Join(folder, name), page, 0o644); err != nil {
			return fmt.Errorf("write manual pages: %w", err)
		}
	}
	return nil
}

// page is the page of cobra with options in the usual form, and with sections
// that cobra does not have.
func page(cmd *cobra.Command, version string) ([]byte, error) {
	for _, child := range cmd.Commands() {
		if cmd.HasParent() {
			cmd.RemoveCommand(child) // such as the shells of completion: they have no page
		}
	}
	var buffer bytes.Buffer
	header := &doc.GenManHeader{Section: "1", Source: "poolcast " + version, Manual: "User Commands"}
	if err := doc.GenMan(cmd, header, &buffer); err != nil {
		return nil, err
	}
	text := buffer.String()
	const options, example, seeAlso = ".SH OPTIONS\n", ".SH EXAMPLE\n", ".SH SEE ALSO\n"
	description, _, _ := strings.Cut(text, options)
	var examples, others string
	if i := strings.Index(text, seeAlso); i >= 0 {
		text, others = text[:i], text[i:]
	}
	if i := strings.Index(text, example); i >= 0 {
		examples = text[i:]
	}
	return []byte(description + options + optionList(cmd.Flags()) + exitStatus() + surroundings(cmd) + examples + others), nil
}

func optionList(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		name := `\fB\-\-` + roff(flag.Name) + `\fP`
		if flag.Shorthand != "" {
			name = `\fB\-` + flag.Shorthand + `\fP, ` + name
		}
		value, usage := pflag.UnquoteUsage(flag)
		if value != "" {
			name += `=\fI` + roff(value) + `\fP`
		}
		if hasDefault(flag) {
			usage += " (default " + flag.DefValue + ")"
		}
		b.WriteString(entry(name, usage))
	})
	return b.String()
}

func exitStatus() string {
	text := ".SH EXIT STATUS\n"
	for code, meaning := range exit.Meanings() {
		text += entry(strconv.Itoa(code), meaning)
	}
	return text
}

// surroundings are the files and variables that a command reads.
func surroundings(cmd *cobra.Command) string {
	text := ""
	if cmd.Flags().Lookup("config-file") != nil {
		text += ".SH FILES\n" +
			entry("/etc/cinder/cinder.conf, cinder\\-volume.conf, cinder.conf.d/, cinder\\-volume.conf.d/", "the configuration, without --config-file and --config-dir")
	}
	text += ".SH ENVIRONMENT\n"
	if cmd.Flags().Lookup("config-file") != nil {
		text += entry("OS_SECTION__OPTION", "an option of cinder.conf, in capitals, such as OS_POOLCAST__LOG_LEVEL; it has priority over the files") +
			entry("SSL_CERT_FILE, SSL_CERT_DIR", "the system's certificates, to verify arrays and agents with")
	}
	if cmd.Flags().Lookup("dry-run") != nil {
		text += entry("NOTIFY_SOCKET", "systemd's socket, to which the agent reports that it is ready, reloads, runs and stops")
	}
	return text + entry("COLUMNS", "the width of the terminal, if it is set, in place of its size") + entry("NO_COLOR", "no colours, if it is not empty") + entry("TERM", "no colours, if it is dumb")
}

// entry is a term with its description; the term may hold roff.
func entry(term, description string) string {
	return ".TP\n" + term + "\n" + roff(description) + "\n"
}

// roff escapes a text of one line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}

// Completions writes one file a shell, under the name that the shell expects.
func Completions(root *cobra.Command, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write completions: %w", err)
	}
	name := func(file string) string { return filepath.Join(folder, file) }
	if err := errors.Join(
		root.GenBashCompletionFileV2(name("poolcast.bash"), true),
		root.GenZshCompletionFile(name("_poolcast")),
		root.GenFishCompletionFile(name("poolcast.fish"), true),
	); err != nil {
		return fmt.Errorf("write completions: %w", err)
	}
	return nil
}

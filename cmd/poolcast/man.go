package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
)

// newManCommand writes what packages ship beside the binary. It is hidden: it
// is of use once, to whoever builds a package.
func newManCommand() *cobra.Command {
	var into string
	cmd := &cobra.Command{
		Use:    "man --into FOLDER",
		Short:  "Write manual pages and shell completions into a folder",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if into == "" {
				return exit.With(exit.Usage, errors.New("--into is missing: name the folder to write to"))
			}
			return errors.Join(writeManuals(cmd.Root(), filepath.Join(into, "man")),
				writeCompletions(cmd.Root(), filepath.Join(into, "completions")))
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "folder to write to; it is made if need be")
	return cmd
}

// writeManuals makes one page a command. Their date is SOURCE_DATE_EPOCH, if it
// is set, so that the same sources give the same bytes.
func writeManuals(root *cobra.Command, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Source: "poolcast " + version, Manual: "User Commands"}
	if err := doc.GenManTree(root, header, folder); err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	return nil
}

// writeCompletions makes one file a shell, under the name that the shell looks
// for.
func writeCompletions(root *cobra.Command, folder string) error {
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

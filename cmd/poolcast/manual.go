package main

import (
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/manual"
)

// newManCommand writes what packages ship beside the binary. It is hidden, because
// only the build of a package uses it.
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
			return errors.Join(manual.Pages(cmd.Root(), filepath.Join(into, "man"), version),
				manual.Completions(cmd.Root(), filepath.Join(into, "completions")))
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "`folder` to write to; it is made if it does not exist")
	return cmd
}

// newReferenceCommand prints the reference page of this binary.
func newReferenceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reference",
		Short: "Print every option, capability key, metric and exit code",
		Long: `Print the reference page in Markdown: every command, every option of cinder.conf
that poolcast reads, every capability key it reports with unit, source and
absence, every metric, and the exit codes.`,
		Example: `  poolcast reference | less`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), manual.Reference(cmd.Root()))
			return err
		},
	}
}

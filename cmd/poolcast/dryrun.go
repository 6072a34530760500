package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/publisher"
)

// runDry reads every array once and prints the reports; no broker is touched.
func (f *runFlags) runDry(cmd *cobra.Command) error {
	s, err := f.open(cmd)
	if err != nil {
		return err
	}
	defer s.close()
	reports, err := s.poll(cmd.Context())
	if printed := printReports(cmd.OutOrStdout(), f.output, reports); printed != nil {
		return fmt.Errorf("print reports: %w", printed)
	}
	return err
}

// printEnvelopes prints the messages that would go to the scheduler, one a line.
func printEnvelopes(w io.Writer, reports []capability.Report) error {
	for _, r := range reports {
		body, err := publisher.EncodeReport(r, time.Now())
		if err != nil {
			return fmt.Errorf("encode report of %s: %w", r.Backend, err)
		}
		if _, err := fmt.Fprintf(w, "%s\n", format.PrintableJSON(body)); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
)

// outputFlag adds --output with the given choices; the first is the default.
func outputFlag(cmd *cobra.Command, value *string, choices ...string) {
	*value = choices[0]
	cmd.Flags().VarP(&choice{value: value, choices: choices}, "output", "o", "output format")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

// choice is a flag that takes one of a few words, and says which.
type choice struct {
	value   *string
	choices []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return strings.Join(c.choices, "|") }

func (c *choice) Set(s string) error {
	for _, known := range c.choices {
		if s == known {
			*c.value = s
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(c.choices, ", "))
}

// printJSON writes v indented and with < and > left readable: filter functions
// are full of them.
func printJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(format.PrintableJSON(text.Bytes()))
	return err
}

// printReportTable shows reports to a person: one row a backend, a dash where
// the array did not say.
func printReportTable(w io.Writer, reports []capability.Report) error {
	t := newTable("BACKEND", "POOL", "ZONE", "STATUS", "TOTAL GiB>", "FREE GiB>", "VOLUMES>",
		"READ/s>", "WRITE/s>", "READ µs>", "WRITE µs>", "LOAD %>")
	for _, r := range reports {
		c := r.Capabilities
		t.add(r.Backend, r.Pool, r.Zone, string(r.Status),
			whole(c, capability.KeyTotalCapacity), whole(c, capability.KeyFreeCapacity),
			whole(c, capability.KeyTotalVolumes),
			whole(c, capability.KeyReadsPerSec), whole(c, capability.KeyWritesPerSec),
			whole(c, capability.KeyUsecPerRead), whole(c, capability.KeyUsecPerWrite),
			whole(c, capability.KeyLoadPercent))
	}
	return t.print(w)
}

// whole prints a number without its fraction, a word as it is, and a dash for
// what is missing.
func whole(c capability.Set, key string) string {
	v, ok := c[key]
	if !ok || v.IsNull() {
		return "-"
	}
	if f, ok := v.Float(); ok {
		return format.Whole(f)
	}
	return v.String()
}

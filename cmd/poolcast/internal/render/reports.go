package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/publisher"
)

// Reports prints reports in one of the formats json, table, wide and oslo.
func Reports(w io.Writer, output string, reports []capability.Report) error {
	switch output {
	case "table", "wide":
		return reportTable(w, output, reports)
	case "oslo":
		return envelopes(w, reports)
	}
	if reports == nil {
		reports = []capability.Report{}
	}
	return JSON(w, reports)
}

// JSON prints v indented, and does not escape < and >, which filter functions
// contain.
func JSON(w io.Writer, v any) error {
	var buffer bytes.Buffer
	enc := json.NewEncoder(&buffer)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(format.PrintableJSON(buffer.Bytes()))
	return err
}

// envelopes prints the messages that would be published, one a line.
func envelopes(w io.Writer, reports []capability.Report) error {
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

// reportTable prints one row a backend, and a dash for what was not measured.
func reportTable(w io.Writer, output string, reports []capability.Report) error {
	t := text.NewTable("BACKEND", "POOL", "ZONE", "STATUS", "TOTAL GiB>", "FREE GiB>", "VOLUMES>",
		"READ/s>", "+WRITE/s>", "READ µs>", "+WRITE µs>", "LOAD %>").
		MayHide("READ/s", "TOTAL GiB", "READ µs", "VOLUMES", "ZONE", "POOL")
	for _, r := range reports {
		c := r.Capabilities
		t.Add(r.Backend, r.Pool, r.Zone, string(r.Status),
			number(c, capability.KeyTotalCapacity), number(c, capability.KeyFreeCapacity),
			number(c, capability.KeyTotalVolumes),
			number(c, capability.KeyReadsPerSec), number(c, capability.KeyWritesPerSec),
			number(c, capability.KeyUsecPerRead), number(c, capability.KeyUsecPerWrite),
			number(c, capability.KeyLoadPercent))
	}
	p := newPage(w, output)
	p.Tables(t)
	return p.Print()
}

// newPage starts a page for an output format; in wide the tables have all columns.
func newPage(w io.Writer, output string) *text.Page { return text.NewPage(w, output == "wide") }

// number prints a number without its fraction, a word as it is, and a dash for
// what is missing.
func number(c capability.Set, key string) string {
	v, ok := c[key]
	if !ok || v.IsNull() {
		return format.Missing
	}
	if f, ok := v.Float(); ok {
		return format.Whole(f)
	}
	return v.String()
}

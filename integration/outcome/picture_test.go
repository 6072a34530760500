package outcome

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// pictureRuns are runs of three arms in which one array is added.
func pictureRuns() (runs []Run) {
	for i, arm := range Arms() {
		run := Run{Scenario: "added", Arm: arm, Seed: 1}
		for minute := range 480 {
			hours := float64(minute) / 60
			sample := Sample{At: time.Duration(minute) * time.Minute}
			for n, name := range []string{"array-1", "array-2", "array-3", "array-4"} {
				if name == "array-4" && minute < 180 {
					continue
				}
				load := math.Min(0.98, hours/8*(0.3+0.2*float64(n))+0.02*float64(i))
				sample.Arrays = append(sample.Arrays, State{Name: name, Load: load, Provisioned: load / 2, Latency: 300 / (1 - load)})
			}
			run.Samples = append(run.Samples, sample)
		}
		runs = append(runs, run)
	}
	return runs
}

func TestWritePicture(t *testing.T) {
	var picture bytes.Buffer
	if err := WritePicture(&picture, pictureRuns()); err != nil {
		t.Fatal(err)
	}
	texts := svgTexts(t, picture.Bytes())
	for _, want := range []string{"stock, oldest first", "stock, newest first", "poolcast", "load, %", "latency, ms", "provisioned, %", "hours", "array-1", "array-4"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the picture has no text %q", want)
		}
	}
	var again bytes.Buffer
	if err := WritePicture(&again, pictureRuns()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(picture.Bytes(), again.Bytes()) {
		t.Error("the same runs make two pictures")
	}
}

func TestWritePictureWithoutRuns(t *testing.T) {
	if err := WritePicture(io.Discard, nil); err == nil {
		t.Error("no error without a run")
	}
}

// svgTexts are all texts of an SVG, which must be well-formed.
func svgTexts(t *testing.T, svg []byte) string {
	t.Helper()
	var texts strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts.Write(text)
			texts.WriteByte('\n')
		}
	}
}

package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestVersionAsJSON(t *testing.T) {
	var got versionInfo
	if err := json.Unmarshal([]byte(output(t, "version", "--output", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got != currentVersion() || got.Version == "" || got.Go == "" {
		t.Errorf("got %+v", got)
	}
	if text := output(t, "version"); !strings.Contains(text, "Purity REST 2.4 to 2.") || !strings.Contains(text, "RabbitMQ 3.10 to 4.3\n") {
		t.Errorf("the text is:\n%s", text)
	}
}

// TestNewestCinderIsThatOfTheVectors: the range is no promise, it is what was
// tested.
func TestNewestCinderIsThatOfTheVectors(t *testing.T) {
	f, err := os.Open("../../collector/placement/cinder/testdata/decide.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	head, err := io.ReadAll(io.LimitReader(unzipped, 200))
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`"made_with": "cinder (\d+)\.`).FindSubmatch(head)
	if made == nil || string(made[1]) != tested().Cinder.Newest {
		t.Errorf("the newest Cinder is said to be %s, and the vectors begin with %s", tested().Cinder.Newest, head)
	}
}

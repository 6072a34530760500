package vectors

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
)

// folderVariable names a folder of further vectors, made by
// integration/vectors.py or in the same format.
const folderVariable = "POOLCAST_CINDER_VECTORS"

// File is a file of vectors.
type File struct {
	Name  string                    `json:"-"`
	Kind  string                    `json:"kind"`
	Vars  map[string]capability.Set `json:"vars"` // of an evaluate file
	Cases []json.RawMessage         `json:"cases"`
}

// Read returns the vectors of a folder, and of the folder named in
// POOLCAST_CINDER_VECTORS. It is an error if there are none.
func Read(folder string) ([]File, error) {
	folders := []string{folder}
	if more := os.Getenv(folderVariable); more != "" {
		folders = append(folders, more)
	}
	var files []File
	for _, folder := range folders {
		for _, pattern := range []string{"*.json", "*.json.gz"} {
			paths, err := filepath.Glob(filepath.Join(folder, pattern))
			if err != nil {
				return nil, fmt.Errorf("list vectors: %w", err)
			}
			for _, path := range paths {
				f, err := readFile(path)
				if err != nil {
					return nil, fmt.Errorf("read vectors: %s: %w", path, err)
				}
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		return nil, errors.New("read vectors: there are none")
	}
	return files, nil
}

func readFile(path string) (File, error) {
	data, err := os.ReadFile(path)
	if err == nil && strings.HasSuffix(path, ".gz") {
		data, err = gunzip(data)
	}
	f := File{Name: filepath.Base(path)}
	if err == nil {
		err = json.Unmarshal(quoteNumbers(data), &f)
	}
	return f, err
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// notJSON finds what Python writes for numbers that JSON does not have, and
// texts, in which they stay as they are.
var notJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?Infinity|NaN`)

func quoteNumbers(data []byte) []byte {
	return notJSON.ReplaceAllFunc(data, func(token []byte) []byte {
		if token[0] == '"' {
			return token
		}
		return fmt.Appendf(nil, "%q", strings.ReplaceAll(strings.ToLower(string(token)), "infinity", "inf"))
	})
}

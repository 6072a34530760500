package input

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/poolcast/poolcast/config/files"
)

// maxBytes bounds a file: reports of thousands of arrays are a tenth of it.
const maxBytes = 64 << 20

// Read reads a file, or standard input for "-".
func Read(ctx context.Context, stdin io.Reader, path string) ([]byte, error) {
	if path == "-" {
		data, err := files.Do(ctx, new(files.Reader), func() ([]byte, error) { return readBounded(stdin) })
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return data, err
	}
	return file(path)
}

// file reads a regular file.
func file(path string) ([]byte, error) {
	data, err := files.Read(path, maxBytes)
	if errors.Is(err, files.ErrNotRegular) {
		err = fmt.Errorf("%w; write its contents to a file first", err)
	}
	return data, err
}

// readBounded reads to the end, or fails at the bound.
func readBounded(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("%w: it may have %d bytes", files.ErrTooLarge, maxBytes)
	}
	return data, err
}

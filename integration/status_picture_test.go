//go:build integration

package integration

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	// statusPicture is the picture of the status page in README.md.
	statusPicture = "../examples/status-page.png"
	// maxPicture keeps the repository small.
	maxPicture = 150_000
)

// TestStatusPagePicture writes the picture of README.md with -update, and checks the one
// that is there: one screen of 1400 × 900 pixels.
func TestStatusPagePicture(t *testing.T) {
	if *update {
		url := serveFleet(t, newFleet(32))
		b := startBrowser(t, url)
		b.dark(false)
		b.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(url+"/"))
		shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(statusPicture, withPalette(t, shot), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(statusPicture)
	if err != nil {
		t.Fatal(err)
	}
	head, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if head.Width != 1400 || head.Height != 900 || len(file) > maxPicture {
		t.Errorf("%s: %d × %d pixels, %d bytes", statusPicture, head.Width, head.Height, len(file))
	}
}

// withPalette reduces a picture to its most frequent colours. Text has many shades of
// few colours, so that it looks the same and is a third of the size.
func withPalette(t *testing.T, shot []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	area := full.Bounds()
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		palette = append(palette, c)
	}
	index := map[color.RGBA]uint8{}
	small := image.NewPaletted(area, palette)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := at(x, y)
			if _, known := index[c]; !known {
				index[c] = uint8(palette.Index(c))
			}
			small.SetColorIndex(x, y, index[c])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

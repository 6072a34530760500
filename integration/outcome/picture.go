package outcome

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a picture. At half of its width, as on a telephone, its text has still the
// size of 8 pixels.
const (
	pictureWidth  = vg.Length(840 * 0.75) // 840 pixels
	pictureHeight = vg.Length(560 * 0.75)
	textSize      = 16 * 0.75
)

// lineStyles are those of the arrays, by Okabe and Ito, which people with a colour vision
// deficiency distinguish too. The dashes distinguish them without colour.
var lineStyles = []draw.LineStyle{
	{Color: color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, Width: vg.Points(1.5)},
	{Color: color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}, Width: vg.Points(1.5), Dashes: []vg.Length{6, 2}},
	{Color: color.RGBA{R: 0x00, G: 0x9e, B: 0x73, A: 0xff}, Width: vg.Points(1.5), Dashes: []vg.Length{2, 2}},
	{Color: color.RGBA{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}, Width: vg.Points(1.5), Dashes: []vg.Length{8, 2, 2, 2}},
}

// panel is a row of the picture: a measure of an array over time.
type panel struct {
	title string
	value func(State) float64
	least float64 // the greatest value of the axis is at least this
}

// panels are the rows of a picture.
func panels() []panel {
	return []panel{
		{"load, %", func(s State) float64 { return 100 * s.Load }, 10},
		{"latency, ms", func(s State) float64 { return s.Latency / 1000 }, 1},
		{"provisioned, %", func(s State) float64 { return 100 * s.Provisioned }, 10},
	}
}

// WritePicture draws a pool over time as SVG: a column for each run, a row for each
// measure, a line for each array. The runs are those of the same stream.
func WritePicture(w io.Writer, runs []Run) error {
	if len(runs) == 0 {
		return fmt.Errorf("draw the pool over time: there is no run")
	}
	rows := panels()
	plots := make([][]*plot.Plot, len(rows))
	for i, row := range rows {
		top := row.top(runs)
		for j, run := range runs {
			p, err := row.plot(run, top, i == 0, i == len(rows)-1, j == 0)
			if err != nil {
				return fmt.Errorf("draw %s of %s: %w", row.title, run.Arm, err)
			}
			plots[i] = append(plots[i], p)
		}
	}
	canvas := vgsvg.New(pictureWidth, pictureHeight)
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Path())
	tiles := draw.Tiles{Rows: len(rows), Cols: len(runs), PadX: vg.Points(6), PadY: vg.Points(6), PadTop: 4, PadBottom: 4, PadLeft: 4, PadRight: 8}
	for i, row := range plot.Align(plots, tiles, page) {
		for j, tile := range row {
			plots[i][j].Draw(tile)
		}
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

// top is the greatest value of the axis, the same for all runs.
func (row panel) top(runs []Run) float64 {
	top := row.least
	for _, run := range runs {
		for _, sample := range run.Samples {
			for _, state := range sample.Arrays {
				top = max(top, row.value(state))
			}
		}
	}
	return top
}

// plot draws one run. The first column has the axis of the measure, the first row the
// names of the arms, and the last one the hours.
func (row panel) plot(run Run, top float64, first, last, left bool) (*plot.Plot, error) {
	p := plot.New()
	styleAxes(p)
	p.Y.Min, p.Y.Max = 0, top
	if first {
		p.Title.Text = string(run.Arm)
	}
	if last {
		p.X.Label.Text = "hours"
	}
	if left {
		p.Y.Label.Text = row.title
	}
	for i, name := range run.names() {
		line, err := plotter.NewLine(run.points(name, row.value))
		if err != nil {
			return nil, err
		}
		line.LineStyle = lineStyles[i%len(lineStyles)]
		p.Add(line)
		if last && left { // the lines begin at the bottom
			p.Legend.Add(name, line)
		}
	}
	return p, nil
}

// styleAxes sets the font and the grid.
func styleAxes(p *plot.Plot) {
	face := font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
	p.BackgroundColor = color.White
	for _, style := range []*draw.TextStyle{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font = face
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
}

// names are those of the arrays of a run, in order.
func (r Run) names() (names []string) {
	for _, sample := range r.Samples {
		for _, state := range sample.Arrays {
			if !slices.Contains(names, state.Name) {
				names = append(names, state.Name)
			}
		}
	}
	return names
}

// points are the values of one array, in hours. An array that has not joined has none.
func (r Run) points(name string, value func(State) float64) plotter.XYs {
	var points plotter.XYs
	for _, sample := range r.Samples {
		for _, state := range sample.Arrays {
			if y := value(state); state.Name == name && !math.IsNaN(y) {
				points = append(points, plotter.XY{X: sample.At.Hours(), Y: y})
			}
		}
	}
	return points
}

package report

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Write writes RESULTS.md, results.json and the charts into a folder.
func (d *Document) Write(dir string) error {
	for i := range d.Systems {
		d.Systems[i].Version = version(d.Systems[i].Module, d.Systems[i].Program)
	}
	charts := d.charts()
	if err := os.MkdirAll(filepath.Join(dir, "charts"), 0o755); err != nil {
		return err
	}
	for _, c := range charts {
		if err := os.WriteFile(filepath.Join(dir, "charts", c.file), []byte(c.svg), 0o644); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	notes, err := os.ReadFile(filepath.Join(dir, "NOTES.md"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "RESULTS.md"), []byte(d.markdown(charts, string(notes))), 0o644)
}

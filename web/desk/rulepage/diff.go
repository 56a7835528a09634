package rulepage

import "strings"

// run is words that two texts have in common, or that one of them has alone.
type run struct {
	Text     string
	Old, New bool
}

// diffMost bounds how many words of a text are compared; the table of a longest common subsequence grows with the square.
const diffMost = 600

// wordDiff is how one text becomes another, word by word.
func wordDiff(from, to string) []run {
	a, b := strings.Fields(from), strings.Fields(to)
	if len(a) > diffMost || len(b) > diffMost {
		return []run{{Text: from, Old: true}, {Text: to, New: true}}
	}
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []run
	add := func(word string, isOld, isNew bool) {
		if n := len(out); n > 0 && out[n-1].Old == isOld && out[n-1].New == isNew {
			out[n-1].Text += " " + word
			return
		}
		out = append(out, run{word, isOld, isNew})
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			add(a[i], false, false)
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			add(a[i], true, false)
			i++
		default:
			add(b[j], false, true)
			j++
		}
	}
	return out
}

package play

// workers are goroutines that play one script after the other. A new goroutine has a small stack, which grows (and is
// copied) several times in the depths of the runtime: with a goroutine for each play, that was a tenth of the driver's time.
type workers chan func()

// do gives the work to a free worker, or else to a new one. There are as many workers as ever had work at the same time.
func (w workers) do(work func()) {
	select {
	case w <- work:
	default:
		go func() {
			for {
				work()
				work = <-w
			}
		}()
	}
}

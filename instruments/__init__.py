"""Everything that speaks to hardware: VISA sessions, drivers, and the bench made of them."""

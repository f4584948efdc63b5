# maps/

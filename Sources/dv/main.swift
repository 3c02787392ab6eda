print("dv")

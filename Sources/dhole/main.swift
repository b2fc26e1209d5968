print("dhole")

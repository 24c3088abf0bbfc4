import Commands

TrainCommand.main()

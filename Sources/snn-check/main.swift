import Commands

CheckCommand.main()
